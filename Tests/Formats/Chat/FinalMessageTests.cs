using Quilt.Formats;
using Quilt.Formats.Chat;

namespace Quilt.Tests.Formats.Chat;

/// <summary>Prompts that end inside their last message.</summary>
public sealed class FinalMessageTests
{
    private const string Plain =
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
    private const string Trimming = "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</>{% endfor %}";

    [TestCase(Plain, "The answer is", "<user>Why?</><assistant>The answer is")]
    [TestCase(Plain, "The answer is ", "<user>Why?</><assistant>The answer is ")]
    [TestCase(Trimming, "The answer is ", "<user>Why?</><assistant>The answer is")]
    [TestCase(Trimming, " Why?", "<user>Why?</><assistant>Why?")]
    public void Ends_where_the_message_does(string template, string begun, string expected)
    {
        var conversation = new Conversation { ContinueFinalMessage = true }.Add("user", "Why?").Add("assistant", begun);
        Assert.That(ChatTemplate.Parse(template, "test").Render(conversation), Is.EqualTo(expected));
    }

    [Test]
    public void Refuses_a_message_without_text_and_a_template_that_leaves_it_out()
    {
        var nothing = new Conversation { ContinueFinalMessage = true }.Add("user", "Why?").Add("assistant", " ");
        Assert.That(() => ChatTemplate.Parse(Plain, "test").Render(nothing), Throws.TypeOf<BadInputException>());
        Assert.That(() => ChatTemplate.Parse(Plain, "test").Render(new Conversation { ContinueFinalMessage = true }),
            Throws.TypeOf<BadInputException>().With.Message.Contains("expected a last message with text"));
        var lost = new Conversation { ContinueFinalMessage = true }.Add("assistant", "lost");
        Assert.That(() => ChatTemplate.Parse("always this", "test").Render(lost), Throws.TypeOf<BadInputException>());
    }

    [Test]
    public void Is_read_from_a_file_where_it_excludes_a_message_of_the_assistant_s()
    {
        var read = Conversation.Read(
            """{"messages":[{"role":"assistant","content":[{"type":"text","text":"So"}]}],"continue_final_message":true}"""u8.ToArray(), "c");
        Assert.That(read.ContinueFinalMessage, Is.True);
        Assert.That(ChatTemplate.Parse("{{ messages[0].content[0].text }}{{ add_generation_prompt }}", "test").Render(read), Is.EqualTo("So"));
        Assert.That(() => Conversation.Read("""{"messages":[],"continue_final_message":true,"add_generation_prompt":true}"""u8.ToArray(), "c"),
            Throws.TypeOf<BadInputException>().With.Message.Contains("Cannot set both"));
        Assert.That(() => Conversation.Read("""{"messages":[],"continue_final_message":1}"""u8.ToArray(), "c"), Throws.TypeOf<BadInputException>());
    }
}
