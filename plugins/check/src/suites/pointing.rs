//! Clicking, hovering, dragging, scrolling: the effects of the pointer, and what its steps wait for.

use serde_json::json;

use crate::case::cases;
use crate::faults::{late, refused};
use crate::rig::Rig;

cases![
    a_click_waits_until_its_element_can_take_it,
    a_click_says_what_it_waited_for,
    a_click_reaches_what_is_far_down_nested_or_shadowed,
    clicks_are_counted_and_have_their_button,
    a_click_may_leave_the_page,
    a_click_may_open_a_dialog,
    a_selector_that_is_none_is_the_script_s_fault,
    hovering_opens_menus,
    a_drag_moves_what_follows_the_pointer,
    a_drag_drops_what_is_draggable,
    a_drag_says_what_it_waited_for,
    scrolling_reaches_its_end,
];

/// A slider, far down, that follows the pointer.
const SLIDER: &str = r#"
    <style>#track { width: 300px; height: 20px; position: relative; margin: 2000px 0 }
    #thumb, #mark { position: absolute; left: 0; width: 20px; height: 20px; background: red } #mark { left: 200px }</style>
    <div id=track><div id=mark></div><div id=thumb></div></div><p id=out></p><script>
    let grabbed = null, moves = 0;
    thumb.onpointerdown = e => { grabbed = e.clientX - thumb.offsetLeft; thumb.setPointerCapture(e.pointerId); };
    thumb.onpointermove = e => {
      if (grabbed === null) return;
      moves += e.isTrusted && e.buttons === 1;
      thumb.style.left = `${e.clientX - grabbed}px`;
    };
    thumb.onpointerup = () => { out.textContent += `${thumb.style.left} by ${moves > 3} `; grabbed = null; moves = 0; };
    </script>"#;

async fn a_click_waits_until_its_element_can_take_it(rig: &Rig) {
    for path in ["/moving", "/disabled?ms=300", "/covered?ms=300"] {
        let mut tab = rig.open(path).await;
        tab.does(json!({"click": "#target"})).await;
        assert_eq!(tab.text("#out").await, "clicked", "{path}");
    }
    let mut tab = rig.open("/late?ms=300").await;
    tab.does(json!({"click": "#late"})).await;
    // A click on a moving element hits only by chance; this page shows whether it did.
    let mut tab = rig.show("<button id=ship>x</button><p id=out></p>").await;
    tab.js("ship.onmousedown = () => { out.textContent = `${ship.getAnimations().length} moving`; }").await;
    tab.js("ship.animate([{}, { transform: 'translate(300px, 200px)' }], 700); null").await;
    tab.does(json!({"click": "#ship"})).await;
    assert_eq!(tab.text("#out").await, "0 moving");
    // A fieldset and an aria attribute disable as well.
    let mut tab = rig.show(r#"<fieldset disabled><button id=a onclick="out.textContent+='a'"><b>x</b></button></fieldset>
        <div id=d aria-disabled=true><button id=b onclick="out.textContent+='b'">x</button></div><p id=out></p>"#).await;
    late(tab.perform(json!({"click": {"selector": "#a b", "timeout": "1s"}})).await, &["to be enabled"]);
    late(tab.perform(json!({"click": {"selector": "#b", "timeout": "1s"}})).await, &["to be enabled"]);
    tab.js("document.querySelector('fieldset').disabled = false; d.ariaDisabled = 'false'").await;
    tab.does(json!({"click": "#a b"})).await;
    tab.does(json!({"click": "#b"})).await;
    assert_eq!(tab.text("#out").await, "ab");
}

async fn a_click_says_what_it_waited_for(rig: &Rig) {
    let mut tab = rig.open("/hidden").await;
    for id in ["display", "visibility", "zero"] {
        let click = json!({"click": {"selector": format!("#{id}"), "timeout": "500ms"}});
        late(tab.perform(click).await, &["waiting for `#", "to be visible", "500ms"]);
    }
    assert_eq!(tab.text("#out").await, "not clicked");
    late(
        tab.perform(json!({"click": {"selector": "#none", "timeout": "500ms"}})).await,
        &["`#none` to be in the page"],
    );
    let mut tab = rig.open("/covered?ms=60000").await;
    let covered = tab.perform(json!({"click": {"selector": "#target", "timeout": "500ms"}})).await;
    late(covered, &["`#target` to be uncovered", "<div id=\"cover\">"]);
    assert_eq!(tab.text("#out").await, "not clicked");
}

async fn a_click_reaches_what_is_far_down_nested_or_shadowed(rig: &Rig) {
    let mut tab = rig.show(r#"
        <style>header{position:fixed;top:0;left:0;right:0;height:120px;background:red}</style><header>sticky</header>
        <div style="height:4000px"></div>
        <div style="height:100px;overflow:auto"><div style="height:1000px"></div><button id=deep>deep</button></div>
        <div id=host></div><label id=lab for=hid>for</label><input id=hid type=checkbox style="opacity:0">
        <a id=icon href="javascript:void log('link')"><i style="pointer-events:none">icon</i></a>
        <div style="height:4000px"></div><button id=top style="position:absolute;top:130px">top</button><p id=out></p>
        <script>
          const log = what => { out.textContent += what + ' '; };
          deep.onclick = top.onclick = null;
          document.querySelector('#deep').onclick = () => log('deep');
          document.querySelector('#top').onclick = () => log('top');
          const root = host.attachShadow({mode:'open'});
          root.innerHTML = '<div id=inner></div>';
          const inner = root.querySelector('#inner').attachShadow({mode:'open'});
          inner.innerHTML = '<button class=shaded><slot>shaded</slot></button>';
          inner.querySelector('button').onclick = () => log('shaded');
        </script>"#).await;
    for selector in ["#deep", ".shaded", "#icon i", "#top"] {
        tab.does(json!({"click": selector})).await;
    }
    assert_eq!(tab.text("#out").await, "deep shaded link top");
}

async fn clicks_are_counted_and_have_their_button(rig: &Rig) {
    let mut tab = rig.show(r#"<button id=b>b</button><p id=out></p><script>
        for (const kind of ['click', 'dblclick', 'auxclick', 'contextmenu'])
          b.addEventListener(kind, e => { out.textContent += `${kind}${e.detail}${e.isTrusted ? '' : '!'} `; });
        </script>"#).await;
    tab.does(json!({"click": {"selector": "#b", "count": 2}})).await;
    assert_eq!(tab.text("#out").await, "click1 click2 dblclick2");
    tab.js("out.textContent = ''").await;
    tab.does(json!({"click": {"selector": "#b", "button": "right"}})).await;
    tab.does(json!({"click": {"selector": "#b", "button": "middle"}})).await;
    let out = tab.text("#out").await;
    assert!(out.contains("contextmenu") && out.matches("auxclick").count() == 2, "{out}");
}

async fn a_click_may_leave_the_page(rig: &Rig) {
    let mut tab = rig.open("/form-post").await;
    tab.does(json!({"fill": {"selector": "#name", "text": "Ada <b>"}})).await;
    tab.does(json!({"click": "#send"})).await;
    tab.does(json!({"wait_for": {"text": "Thank you, Ada <b>"}})).await;
    tab.does(json!({"expect": {"url": "*/form-posted", "timeout": "3s"}})).await;
}

async fn a_click_may_open_a_dialog(rig: &Rig) {
    let mut tab =
        rig.show("<button onclick=\"out.textContent = confirm('go?')\">b</button><p id=out></p>").await;
    tab.does(json!({"click": "button"})).await;
    assert_eq!(tab.text("#out").await, "false");
}

async fn a_selector_that_is_none_is_the_script_s_fault(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    for step in [
        json!({"click": "::("}),
        json!({"wait_for": "::("}),
        json!({"expect": {"selector": "::(", "count": 1}}),
        json!({"extract": {"a": "::("}}),
        json!({"screenshot": "::("}),
        json!({"upload": {"selector": "::(", "files": []}}),
    ] {
        refused(tab.perform(step).await, &["'::(' is not a valid selector"]);
    }
}

async fn hovering_opens_menus(rig: &Rig) {
    let mut tab = rig.open("/hover").await;
    tab.does(json!({"hover": "#harbour"})).await;
    assert_eq!(tab.text("#out").await, "hovered");
    tab.does(json!({"click": "#item"})).await;
    tab.does(json!({"expect": {"url": "#chosen"}})).await;
}

async fn a_drag_moves_what_follows_the_pointer(rig: &Rig) {
    let mut tab = rig.show(SLIDER).await;
    tab.does(json!({"drag": {"from": "#thumb", "by": [100, 0]}})).await;
    tab.does(json!({"drag": {"from": "#thumb", "to": "#mark"}})).await;
    tab.does(json!({"drag": {"from": "#thumb", "by": [-5, 3]}})).await;
    // It lies over the middle of the mark.
    tab.does(json!({"drag": {"from": "#thumb", "to": "#mark"}})).await;
    assert_eq!(tab.text("#out").await, "100px by true 200px by true 195px by true 200px by true");
}

async fn a_drag_drops_what_is_draggable(rig: &Rig) {
    let mut tab = rig
        .show(
            r#"<ul id=list><li id=a draggable=true>a</li><li id=b draggable=true>b</li>
        <li id=c draggable=true>c</li></ul><p id=out></p><script>
          list.ondragstart = e => { e.dataTransfer.setData('text/plain', e.target.id); };
          list.ondragover = e => e.preventDefault();
          list.ondrop = e => {
            e.preventDefault();
            e.target.closest('li').after(document.getElementById(e.dataTransfer.getData('text/plain')));
          };
          list.ondragend = e => {
            const order = [...list.children].map(item => item.id).join('');
            out.textContent = `${e.target.id} ended, ${e.isTrusted}: ${order}`;
          };
        </script>"#,
        )
        .await;
    tab.does(json!({"drag": {"from": "#a", "to": "#c"}})).await;
    tab.does(json!({"wait_for": {"text": "a ended, true: bca"}})).await;
    // The pointer is free again.
    tab.does(json!({"drag": {"from": "#a", "to": "#b"}})).await;
    tab.does(json!({"wait_for": {"text": "a ended, true: bac"}})).await;
}

async fn a_drag_says_what_it_waited_for(rig: &Rig) {
    let mut tab = rig.show("<p id=a>a</p><div style='height:5000px'></div><p id=b>b</p>").await;
    let drag = |to: &str| json!({"drag": {"from": "#a", "to": to, "timeout": "1s"}});
    late(tab.perform(drag("#none")).await, &["`#a` to have its target", "\"#none\" to be in the page"]);
    late(tab.perform(drag("#b")).await, &["\"#b\" to fit into the viewport together"]);
    refused(tab.perform(drag("::(")).await, &["'::(' is not a valid selector"]);
    let far = tab.perform(json!({"drag": {"from": "#a", "by": [0, 99999]}})).await;
    refused(far, &["`#a`", "outside the viewport"]);
}

async fn scrolling_reaches_its_end(rig: &Rig) {
    let mut tab = rig.open("/scroll").await;
    tab.does(json!({"scroll": "bottom"})).await;
    assert_eq!(tab.text("#out").await, "at the bottom");
    tab.does(json!({"scroll": "top"})).await;
    tab.does(json!({"scroll": {"to": {"by": [0, 120]}}})).await;
    assert_eq!(tab.js("scrollY").await, 120);
    tab.does(json!({"scroll": "#out"})).await;
    assert!(tab.js("out.getBoundingClientRect().bottom <= innerHeight").await == true);
    late(
        tab.perform(json!({"scroll": {"to": {"selector": "#no"}, "timeout": "1s"}})).await,
        &["`#no` to be in the page"],
    );
}
