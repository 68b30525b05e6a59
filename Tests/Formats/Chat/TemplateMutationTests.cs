using System.Text;
using CsCheck;
using Quilt.Formats;
using Quilt.Formats.Chat;

namespace Quilt.Tests.Formats.Chat;

/// <summary>Templates and conversations with pieces cut out, doubled or swapped fail with an error of ours, or not at all.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class TemplateMutationTests
{
    private const string Source = """
        {%- macro show(value, depth=0) -%}
        {% if value is mapping %}{% for k, v in value.items() if v is not none %}{#- -#}
        {{ k|upper }}={{ show(v, depth + 1) }}{{ ", " if not loop.last }}{% endfor %}
        {% elif value is iterable and value is not string %}{{ value|map('string')|join('-')|truncate(20) }}{#- -#}
        {% else %}{{ value|string|trim }}{% endif %}
        {%- endmacro -%}
        {% set ns = namespace(count=0, last='') %}
        {% for message in messages[::-1] recursive %}{% set ns.count = ns.count + loop.index0 * 2 %}
        {{ loop.cycle('a', 'b') }}{{ '%-5s|%03d' % (message.role, ns.count) }}{#- -#}
        {{ message['content'].split('\n')[-1][:3] ~ message.get('name', 'none') }}
        {% if message.tool_calls %}{% for call in message.tool_calls %}{#- -#}
        {{ call.function|tojson(indent=2) }}{% endfor %}{% endif %}{% break %}{% endfor %}
        {# a comment -#} {% call(x) show(messages[0]) %}{{ x }}{% endcall %}{% raw %}{{ raw }}{% endraw %}{% filter indent(2) %}x{% endfilter %}
        {% set block | replace('a', 'b') %}{{ 1 / 3 }}{{ 7 // -2 }}{{ 2 ** 70 }}{{ "{:>8.2f}".format(2.5) }}{% endset %}{{ block }}
        """;

    private const string Messages =
        """
        {"messages": [{"role": "user", "content": "Hi\nthere", "name": null},
        {"role": "assistant", "content": "é😀", "tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, 2.5, true, null]}}}]}],
        "tools": [{"type": "function"}], "x": 12345678901234567890}
        """;

    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "'", "\"", "\\", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":", "=", "~", "**", "//", "%",
        " if ", " else ", " is ", " not ", " in ", " for ", "endfor", "endif", "set ", "loop", "caller", "self",
        "messages", "ns", "none", "0", "-1", "1e999", "99999999999999999999", "\n", "\0", "\ud800", "😀", "{% raw %}", "{% block x %}",
        "{% generation %}", "|sort", "|groupby('role')", "|batch(0)", "|slice(0)", "|round(-400)", "|int(0, 1)", ".format(", "|wordwrap(0)",
        "|pprint", "|xmlattr", "|urlencode", "|unique",
    ];

    private static readonly Gen<(double From, double Length, string Piece)> Change =
        Gen.Select(Gen.Double[0, 1], Gen.Double[0, 1], Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]));

    [Test]
    public void Fails_only_with_errors_of_its_own_whatever_the_template() =>
        Change.Array[1, 6].Sample(changes => Survives(Mutated(Source, changes), Messages), iter: 3000);

    [Test]
    public void Fails_only_with_errors_of_its_own_whatever_the_conversation() =>
        Change.Array[1, 4].Sample(changes => Survives(Source, Mutated(Messages, changes)), iter: 1000);

    private static string Mutated(string text, (double From, double Length, string Piece)[] changes)
    {
        foreach (var (from, length, piece) in changes)
        {
            var start = (int)(from * text.Length);
            var count = Math.Min((int)(length * length * length * 40), text.Length - start);
            text = text[..start] + piece + text[(start + count)..];
        }
        return text;
    }

    private static void Survives(string template, string messages)
    {
        try
        {
            var conversation = Conversation.Read(Encoding.UTF8.GetBytes(messages), "test");
            Assert.That(ChatTemplate.Parse(template, "test").Render(conversation), Is.Not.Null);
        }
        catch (BadInputException refused)
        {
            Assert.That(refused.Message, Is.Not.Empty);
        }
    }
}
