using System.Diagnostics;
using Quilt.Formats.Chat.Jinja;

namespace Quilt.Tests.Formats.Chat;

/// <summary>Templates that want too much end in an error of their own, having taken little.</summary>
public sealed class HostileTemplateTests
{
    private const string Many = "{% for i in range(100000) %}";
    private const string End = "{% endfor %}";

    private static readonly string[] Endless =
    [
        // Values that share their parts: few steps make a tree of 2^40 leaves.
        "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x | tojson }}",
        "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == " +
        "n.y }}",
        "{% set n = namespace(x=(1,)) %}{% for i in range(40) %}{% set n.x = (n.x, n.x) %}{% endfor %}{{ {n.x: 1} }}",
        // Values nested beyond any stack.
        "{% set n = namespace(x=[1], y=[1]) %}" + Many + "{% set n.x = [n.x] %}{% set n.y = [n.y] %}" + End + "{{ n.x == n.y }}",
        "{% set n = namespace(x=(1,)) %}" + Many + "{% set n.x = (n.x,) %}" + End + "{{ {n.x: 1} }}",
        // Growing, and going through much again and again.
        "{% set n = namespace(x='a') %}{% for i in range(100) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x=3) %}{% for i in range(1000) %}{% set n.x = n.x * n.x %}{% endfor %}",
        "{% set x = 'a' * 4000000 %}" + Many + "{% set y = x | upper %}" + End,
        "{% set x = 'a' * 4000000 %}" + Many + "{% set y = x.find('b') %}" + End,
        "{% set x = 'a' * 4000000 %}" + Many + "{% set y = 'b' in x %}" + End,
        "{% set x = 'a ' * 2000000 %}" + Many + "{% set y = x.split() %}" + End,
        "{% set x = range(100000) | list %}" + Many + "{% set y = -1 in x %}" + End,
        Many + "{% set x = range(100000) | list %}" + End,
        Many + Many + End + End,
        Many + "{% set x = 10 ** 4000 // 7 ** 1000 %}" + End,
        "{% macro m(n) %}{% if n < 60 %}{{ m(n + 1) }}{{ m(n + 1) }}{% endif %}{% endmacro %}{{ m(0) }}",
        "{% for x in [[]] recursive %}{{ loop([[]]) }}{% endfor %}",
        "{{ '{:>1000000000}'.format(1) }}", "{{ '%.1000000000f' % 1 }}", "{{ 'a'.zfill(10 ** 12) }}", "{{ '\\t'.expandtabs(10 ** 9) }}",
        "{{ 'a' | batch(1000000000, 'x') | list }}", "{{ [1] | slice(1000000000) | list }}", "{{ ('a' * 1000000).replace('', 'b' * 1000) }}",
    ];

    private static readonly string[] Bombs =
    [
        Repeat("(", 5000), Repeat("not ", 5000), Repeat("{1:", 5000), Repeat("-", 20000), "1" + Repeat(" if 1 else 2", 5000),
        "x" + Repeat(".a", 5000), "x" + Repeat("|upper", 5000),
        "x" + Repeat("[0]", 5000), "x" + Repeat("()", 5000), "1" + Repeat(" + 1", 5000), "1" + Repeat(" is defined", 5000), Repeat("9", 1000000),
    ];

    [TestCaseSource(nameof(Endless))]
    public void Stops_what_would_not_end(string template)
    {
        Assert.Throws<JinjaException>(() => Render(template));          // compiles the code; the second time is measured
        var (before, watch) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.StartNew());
        Assert.Throws<JinjaException>(() => Render(template));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(512L << 20));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(30)), "It ends by counting, not by luck.");
    }

    [TestCaseSource(nameof(Bombs))]
    public void Refuses_to_read_what_nests_without_end(string expression) =>
        Assert.Throws<JinjaException>(() => Template.Parse($"{{{{ {expression} }}}}", "t"));

    [Test]
    public void Leaves_what_it_was_given_as_it_was()
    {
        var list = new JinjaList([1L, 2L]);
        var dict = JinjaDict.Of([new("a", 1L)]);
        foreach (var change in (string[])["list.append(3)", "list.clear()", "list.pop()", "list.sort()", "dict.update({'b': 1})", "dict.pop('a')",
            "dict.setdefault('b', 1)", "dict.clear()"])
        {
            var error = Assert.Throws<JinjaException>(() =>
                Template.Parse($"{{{{ {change} }}}}", "t").Render([new("list", list), new("dict", dict)]))!;
            Assert.That(error.Problem, Does.Contain("is unsafe"));
        }
        Assert.That((Python.Repr(list), Python.Repr(dict)), Is.EqualTo(("[1, 2]", "{'a': 1}")));
    }

    private static string Render(string template) => Template.Parse(template, "t").Render([]);

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));
}
