using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Jinja;

namespace Quilt.Tests.Formats.Chat;

/// <summary>What a user reads when a template cannot go on.</summary>
public sealed class TemplateErrorTests
{
    [TestCase("one\n{{ 1 + 'a' }}\nthree", 2, "{{ 1 + 'a' }}")]
    [TestCase("{% macro m() %}\n\n{{ missing.y }}\n{% endmacro %}\n{{ m() }}", 3, "{{ missing.y }}")]
    [TestCase("{% macro m() %}\nx\n{% endmacro %}\n{{ m() }}{{ 1 / 0 }}", 4, "{{ m() }}{{ 1 / 0 }}")]
    [TestCase("{% for i in [1, 0] %}\n{{ 1 / i }}\n{% endfor %}", 2, "{{ 1 / i }}")]
    [TestCase("a\n\n{% if x %}", 3, "{% if x %}")]
    [TestCase("a\r\nb\r\n{{ x | nope }}\r\n", 3, "{{ x | nope }}")]
    public void Names_the_line_and_shows_it(string template, int line, string shown)
    {
        var error = Assert.Throws<JinjaException>(() => Template.Parse(template, "chat.jinja").Render([]))!;
        Assert.That(error.Line, Is.EqualTo(line));
        Assert.That(error.Message, Does.Contain("chat.jinja").And.Contain($"line {line}").And.Contain(shown));
    }

    [Test]
    public void Gives_a_template_s_own_words_as_they_are()
    {
        var template = ChatTemplate.Parse("{{ raise_exception('Roles must alternate:\\nuser, assistant, …') }}", "chat.jinja");
        var error = Assert.Throws<JinjaException>(() => template.Render(new Conversation().Add("user", "Hello")))!;
        Assert.That(error.Problem, Is.EqualTo("Roles must alternate:\nuser, assistant, …"));
        Assert.That(error.Message, Does.Contain("Roles must alternate: user, assistant, …"));
    }

    [TestCase("{% include 'x' %}", "include")]
    [TestCase("{% import 'x' as y %}", "import")]
    [TestCase("{% extends 'x' %}", "extends")]
    [TestCase("{% autoescape true %}{% endautoescape %}", "autoescape")]
    [TestCase("{{ lipsum() }}", "lipsum")]
    [TestCase("{{ '\\N{BULLET}' }}", "characters by name")]
    public void Refuses_by_name_what_it_does_not_do(string template, string name) =>
        Assert.That(Assert.Throws<JinjaException>(() => Template.Parse(template, "t").Render([]))!.Problem,
            Does.Contain(name).And.Contain("not supported"));
}
