using Quilt.Formats.Chat;

namespace Quilt.Tests.Formats.Chat;

/// <summary>What of a message's content a template is given: its parts, where it loops over them, else its text.</summary>
public sealed class ContentPartsTests
{
    [TestCase("{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}", true)]
    [TestCase("{% for m in messages %}{%- for part in m['content'] -%}{{ part.text }}{%- endfor -%}{% endfor %}", true)]
    [TestCase("{% for m in messages %}{% set c = m[\"content\"] %}{% for part in c %}{{ part.text }}{% endfor %}{% endfor %}", true)]
    [TestCase("{% for m in messages %}{{ m.content }}{% endfor %}", false)]
    [TestCase("{% for m in messages %}{% set c = m.content %}{{ c }}{% for tool in m.tool_calls %}{{ tool }}{% endfor %}{% endfor %}", false)]
    [TestCase("{% for m in messages %}{% set c = m.content %}{% for part in cs %}{{ part }}{% endfor %}{{ c }}{% endfor %}", false)]
    [TestCase("{% for m in messages %}{% for part in m.contents %}{{ part }}{% endfor %}{% endfor %}", false)]
    public void Are_the_parts_where_the_template_loops_over_them(string template, bool takesParts) =>
        Assert.That(ChatTemplate.Parse(template, "test").TakesContentParts, Is.EqualTo(takesParts));
}
