"""Pictures in fewer bytes."""

from xenprof.experiment.outputs.compact import compact

SVG = """<svg><metadata>by whom</metadata>
 <g id="axes_1">
  <defs><path id="m1" d="M 0.04 0
L 1.26 3"/></defs>
  <use xlink:href="#m1" x="1.2345" style="fill: red; font-family: 'A', 'B'; stroke: blue"/>
  <use xlink:href="#m1" x="2" style="fill: red; font-family: 'A', 'B'; stroke: blue"/>
  <text transform="rotate(-0 1 2)">1.2345</text>
 </g>
</svg>"""


def test_what_shows_is_kept_and_a_style_is_written_once():
    use = '<use xlink:href="#m1" x="{}" class="c0"/>'

    assert (
        '<svg><defs><path id="m1" d="M 0 0 L 1.3 3"/></defs>'
        + use.format("1.2")
        + use.format("2")
        + "<text>1.2345</text></svg>",
        ".c0{fill:red;font-family:sans-serif;stroke:blue}",
    ) == compact(SVG)


def test_groups_that_say_nothing_go_and_others_stay():
    svg = '<svg><g><g clip-path="url(#a)"><g><path/></g></g><g/></g></svg>'
    assert '<svg><g clip-path="url(#a)"><path/></g><g/></svg>' == compact(svg)[0]
