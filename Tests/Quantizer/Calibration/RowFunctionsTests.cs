using System.Text.Json;
using Quilt.Formats.Chat.Jinja;
using Quilt.Quantizer.Calibration;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>The functions of calibration templates, against what Python's of the same names give.</summary>
public sealed class RowFunctionsTests
{
    private static readonly JsonElement Row = JsonElement.Parse(
        """{"a": "<b>&'\"", "s": "x", "n": 3, "f": 1.5, "none": null, "l": ["<", 1], "d": {"k": "<v>"}}""");

    [TestCase("{{ enumerate(row.l)|list }}", "[(0, &#39;&lt;&#39;), (1, 1)]")]
    [TestCase("{{ zip([1,2],[\"a\",\"b\",\"c\"])|list }}", "[(1, &#39;a&#39;), (2, &#39;b&#39;)]")]
    [TestCase("{% for i, x in enumerate([\"p\",\"q\"], 1) %}{{ i }}{{ x }}{% endfor %}", "1p2q")]
    [TestCase("{{ max(\"a\", \"b\") }}{{ max([1,3,2]) }}{{ min(2, 1.5) }}{{ sum([1, 2.5]) }}{{ abs(-2.5) }}{{ len(row) }}", "b31.53.52.57")]
    [TestCase("{{ sorted(\"cab\") }}{{ sorted([3,1,2], reverse=true) }}{{ sum([[1],[2]], []) }}",
        "[&#39;a&#39;, &#39;b&#39;, &#39;c&#39;][3, 2, 1][1, 2]")]
    [TestCase("{{ max([], default=7) }}", "7")]
    [TestCase("{{ sorted(row) }}", "[&#39;a&#39;, &#39;d&#39;, &#39;f&#39;, &#39;l&#39;, &#39;n&#39;, &#39;none&#39;, &#39;s&#39;]")]
    public void Gives_what_python_gives(string template, string expected) => Assert.That(Render(template), Is.EqualTo(expected));

    [TestCase("{{ max([]) }}")]
    [TestCase("{{ sum([\"a\"]) }}")]
    [TestCase("{{ sorted([1,\"a\"]) }}")]
    [TestCase("{{ len(3) }}")]
    [TestCase("{{ abs(\"x\") }}")]
    [TestCase("{{ max(3) }}")]
    [TestCase("{{ sorted([1], key=len) }}")]
    [TestCase("{{ hash([]) }}")]
    [TestCase("{{ hash() }}")]
    [TestCase("{{ hash(row.zz) }}")]
    [TestCase("{{ zip(1) }}")]
    [TestCase("{{ enumerate([], nonsense=1) }}")]
    public void Refuses_what_python_refuses(string template) => Assert.That(() => Render(template), Throws.TypeOf<JinjaException>());

    // SHA-256 of "abc" begins with ba7816bf8f01cfea.
    [Test]
    public void Hashes_stably() => Assert.That(Render("{{ hash('abc') }} {{ hash('abc'|safe) }}"), Is.EqualTo($"{N} {N}"));

    private const ulong N = 0xba7816bf8f01cfea >> 1;

    private static string Render(string template) => Template.Parse(template, "t", TemplateStyle.StrictHtml)
        .Render([.. RowFunctions.All, new("row", Template.FromJson(Row))]);
}
