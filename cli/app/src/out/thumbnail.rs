//! Scales a screenshot down, so that it can be part of the report's page.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageReader, Limits};

/// The largest picture that is read, in bytes.
pub(super) const MAX_FILE: u64 = 32 << 20;

/// The width of a thumbnail: twice the width on the page, for screens with dense pixels.
const WIDTH: u32 = 320;
/// The height of a thumbnail. A full-page screenshot is cut below it, because its top is what people recognise.
const HEIGHT: u32 = 240;
const JPEG_QUALITY: u8 = 70;

/// The picture as a `data:` URI of a JPEG of at most 320 x 240 pixels; `None` when it is not a picture, or takes more than
/// 256 MiB of memory to decode.
pub(super) fn data_uri(file: &[u8]) -> Option<String> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(256 << 20);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    let top = (u64::from(picture.width()) * u64::from(HEIGHT)).div_ceil(u64::from(WIDTH));
    let top = u32::try_from(top).unwrap_or(u32::MAX).min(picture.height());
    let picture = picture.crop_imm(0, 0, picture.width(), top);
    let picture = if picture.width() > WIDTH { picture.thumbnail(WIDTH, HEIGHT) } else { picture };
    let mut jpeg = Vec::new();
    picture.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)).ok()?;
    Some(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, RgbaImage};

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        RgbaImage::from_pixel(width, height, image::Rgba([20, 90, 160, 255]))
            .write_to(&mut file, ImageFormat::Png)
            .expect("a picture");
        file.into_inner()
    }

    fn size(uri: &str) -> (u32, u32) {
        let jpeg = uri.strip_prefix("data:image/jpeg;base64,").expect("a JPEG");
        let jpeg = image::load_from_memory(&STANDARD.decode(jpeg).expect("base64")).expect("a picture");
        (jpeg.width(), jpeg.height())
    }

    #[test]
    fn every_shape_becomes_a_small_picture() {
        for (width, height, expected) in [
            (1280, 720, (320, 180)),
            (1280, 9000, (320, 240)),
            (1, 1, (1, 1)),
            (200, 5000, (200, 150)),
            (3000, 2, (320, 1)),
        ] {
            let uri = data_uri(&png(width, height)).expect("it is a picture");
            assert_eq!(size(&uri), expected, "{width} x {height}");
        }
    }

    #[test]
    fn what_is_no_picture_is_left_out() {
        assert_eq!(data_uri(b"<svg onload=alert(1)>"), None);
        assert_eq!(data_uri(&png(64, 64)[..40]), None);
        assert_eq!(data_uri(b""), None);
    }
}
