// The files a file input holds: how long each is for the browser, or null if it cannot be read.
async element => {
  const length = async file => {
    try {
      await file.slice(0, 1).arrayBuffer();
      return file.size;
    } catch {
      return null;
    }
  };
  return { ready: await Promise.all([...(element.files ?? [])].map(length)) };
}
