using System.Text.Json;
using Quilt.Formats.Chat.Jinja;

namespace Quilt.Tests.Formats.Chat;

/// <summary>Autoescape and StrictUndefined, against what Jinja2 3.1.6 prints.</summary>
public sealed class StrictHtmlTests
{
    private static readonly JsonElement Row = JsonElement.Parse(
        """{"a": "<b>&'\"", "s": "x", "n": 3, "f": 1.5, "none": null, "l": ["<", 1], "d": {"k": "<v>"}}""");

    [TestCase("{{ row.a }}", "&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ row.a|safe }}", "<b>&'\"")]
    [TestCase("{{ row.a|e }}", "&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ row.a|e|e }}", "&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ row.a|escape|upper }}", "&LT;B&GT;&AMP;&#39;&#34;")]
    [TestCase("{{ row.a|forceescape }}", "&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ row.a|e|forceescape }}", "&amp;lt;b&amp;gt;&amp;amp;&amp;#39;&amp;#34;")]
    [TestCase("{{ \"<i>\" }}", "&lt;i&gt;")]
    [TestCase("{{ \"<i>\" ~ row.a }}", "&lt;i&gt;&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ (\"<i>\"|safe) ~ row.a }}", "<i>&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ (\"<i>\"|safe) + row.a }}", "<i>&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ row.a + (\"<i>\"|safe) }}", "&lt;b&gt;&amp;&#39;&#34;<i>")]
    [TestCase("{{ row.l }}", "[&#39;&lt;&#39;, 1]")]
    [TestCase("{{ row.d }}", "{&#39;k&#39;: &#39;&lt;v&gt;&#39;}")]
    [TestCase("{{ row.none }}{{ row.f }}{{ row.n }}", "None1.53")]
    [TestCase("{% set x %}<u>{{ row.a }}</u>{% endset %}{{ x }}", "<u>&lt;b&gt;&amp;&#39;&#34;</u>")]
    [TestCase("{% set x %}<u>{{ row.a }}</u>{% endset %}{{ x ~ \"<\" }}", "<u>&lt;b&gt;&amp;&#39;&#34;</u>&lt;")]
    [TestCase("{% macro m(y) %}<m>{{ y }}</m>{% endmacro %}{{ m(row.a) }}", "<m>&lt;b&gt;&amp;&#39;&#34;</m>")]
    [TestCase("{% macro m(y) %}<m>{{ y }}</m>{% endmacro %}{{ m(\"<\"|safe) }}", "<m><</m>")]
    [TestCase("{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}<c>{{ row.a }}{% endcall %}", "[<c>&lt;b&gt;&amp;&#39;&#34;]")]
    [TestCase("{% filter upper %}<q>{{ row.a }}{% endfilter %}", "<Q>&LT;B&GT;&AMP;&#39;&#34;")]
    [TestCase("{{ row.l|join(\"<br>\") }}", "&lt;&lt;br&gt;1")]
    [TestCase("{{ row.l|join(\"<br>\"|safe) }}", "&lt;<br>1")]
    [TestCase("{{ [\"<\"|safe, \"<\"]|join(\"&\") }}", "<&amp;&lt;")]
    [TestCase("{{ [\"<\"|safe, \"<\"][0] }}", "<")]
    [TestCase("{{ {\"k\": \"<\"|safe}.k }}", "<")]
    [TestCase("{{ row.a|replace(\"<\", \">\") }}", "&gt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ row.a|safe|replace(\"<\", \">\") }}", "&gt;b>&'\"")]
    [TestCase("{{ row.a|replace(\"<\", \"<\"|safe) }}", "&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ row|tojson }}",
        "{\"a\": \"\\u003cb\\u003e\\u0026\\u0027\\\"\", "
        + "\"d\": {\"k\": \"\\u003cv\\u003e\"}, \"f\": 1.5, \"l\": [\"\\u003c\", 1], \"n\": 3, \"none\": null, \"s\": \"x\"}")]
    [TestCase("{{ row.s|default(\"d\") }}{{ row.zz|default(\"<d>\") }}{{ row.zz|default(\"<d>\"|safe) }}", "x&lt;d&gt;<d>")]
    [TestCase("{{ row.zz is defined }}", "False")]
    [TestCase("{{ row.a|string }}", "&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ row.a|length }}", "6")]
    [TestCase("{{ row.a == (row.a|safe) }}", "True")]
    [TestCase("{{ (row.s|safe) in [\"x\"] }}", "True")]
    [TestCase("{{ \"a\" if row.n > 2 else \"<b>\" }}", "a")]
    [TestCase("{{ row.a|safe if row.n else \"\" }}", "<b>&'\"")]
    [TestCase("a\n{% if true %}\n b\n{% endif %}\nc\n  {# x #}\nd", "a\n\n b\n\nc\n  \nd")]
    [TestCase("{% for i in [1,2] recursive %}<{{ i }}{{ loop([]) if false }}{% endfor %}", "<1<2")]
    [TestCase("{% for i in [[1,[2]]] recursive %}<{{ i if i is number }}{{ loop(i) if i is iterable }}{% endfor %}", "<<1<<2")]
    [TestCase("{{ row.l|map(\"upper\")|list }}", "[&#39;&lt;&#39;, &#39;1&#39;]")]
    [TestCase("{{ row.a|title }}|{{ row.a|trim }}|{{ row.a|wordcount }}", "&lt;B&gt;&amp;&#39;&#34;|&lt;b&gt;&amp;&#39;&#34;|1")]
    [TestCase("{{ {\"id\": row.a}|xmlattr }}", " id=\"&lt;b&gt;&amp;&#39;&#34;\"")]
    [TestCase("{{ \"%s\"|format(row.a) }}", "&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ row.a[0] }}{{ row.a[1:3] }}{{ row.a.upper() }}", "&lt;b&gt;&lt;B&gt;&amp;&#39;&#34;")]
    [TestCase("{% autoescape true %}{{ row.a }}{% endautoescape %}", "&lt;b&gt;&amp;&#39;&#34;")]
    [TestCase("{{ \"x\" if false }}", "")]
    public void Prints_what_jinja_prints(string template, string expected) => Assert.That(Render(template), Is.EqualTo(expected));

    [TestCase("{{ row.zz }}")]
    [TestCase("{{ row.zz ~ \"x\" }}")]
    [TestCase("{{ row.zz|upper }}")]
    [TestCase("{{ row.zz|length }}")]
    [TestCase("{{ \"a\" if row.zz }}")]
    [TestCase("{% if row.zz %}a{% endif %}")]
    [TestCase("{% for x in row.zz %}a{% endfor %}")]
    [TestCase("{{ row.zz == 1 }}")]
    [TestCase("{{ row.zz or \"x\" }}")]
    [TestCase("{{ not row.zz }}")]
    [TestCase("{{ row.zz|list }}")]
    [TestCase("{{ zz() }}")]
    [TestCase("{{ row.zz.yy|default(1) }}")]
    [TestCase("{{ strftime_now(\"%Y\") }}")]
    [TestCase("{{ raise_exception(\"x\") }}")]
    [TestCase("{{ row.a.zz }}")]
    [TestCase("{{ row[\"zz\"] }}")]
    [TestCase("{{ row.zz|join }}")]
    public void Fails_on_what_is_not_there(string template) => Assert.That(() => Render(template), Throws.TypeOf<JinjaException>());

    [TestCase("{{ row.a|safe|truncate(3) }}")]
    [TestCase("{{ (row.a|safe).upper() }}")]
    [TestCase("{{ (row.a|safe)[1:] }}")]
    [TestCase("{{ (row.a|safe) * 2 }}")]
    [TestCase("{{ \"%s\"|safe|format(1) }}")]
    public void Refuses_operations_on_safe_text_that_it_does_not_know(string template) =>
        Assert.That(() => Render(template), Throws.TypeOf<JinjaException>().With.Message.Contains("supported"));

    [Test]
    public void Does_not_make_a_chat_template_strict() =>
        Assert.That(Template.Parse("{{ row.zz }}{{ '<' }}\n{% if not row.zz %}\nx{% endif %}", "t").Render([new("row", Template.FromJson(Row))]),
            Is.EqualTo("<\nx"));

    private static string Render(string template) =>
        Template.Parse(template, "t", TemplateStyle.StrictHtml).Render([new("row", Template.FromJson(Row))]);
}
