using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Tokenizers;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Scheduling;

/// <summary>From tokens to what a caller reads: where a stop text counts, what is held back, what order things come in.</summary>
public sealed class ReplyDecoderTests
{
    private const string Reply = "I think of END.</think>Well, " +
        "<minimax:tool_call><invoke name=\"f\"><parameter name=\"p\">the END</parameter></invoke></minimax:tool_call> this is the END of it.";

    private static readonly Tokenizer Tokenizer = Tokenizer.Open(TinyMiniMax.Demo);

    [Test]
    public async Task A_stop_text_is_looked_for_in_the_answer_alone()
    {
        var (events, end) = await Read(Reply, new SamplingOptions { Stop = ["END"] });
        Assert.That(Thinking(events), Is.EqualTo("I think of END."));
        Assert.That(Text(events), Is.EqualTo("Well,  this is the "));
        Assert.That(events.Select(e => e.Part).OfType<ToolCallEnded>().Single().Arguments, Is.EqualTo("{\"p\": \"the END\"}"));
        Assert.That((end.Reason, end.StopText, end.StopToken), Is.EqualTo((FinishReason.Stop, "END", (int?)null)));
    }

    [Test]
    public async Task Or_in_everything_where_that_is_asked_for()
    {
        var (events, end) = await Read(Reply, new SamplingOptions { Stop = ["END"], StopInThinking = true });
        Assert.That(Thinking(events), Is.EqualTo("I think of "));
        Assert.That(Text(events), Is.Empty);
        Assert.That(end.StopText, Is.EqualTo("END"));
    }

    [Test]
    public async Task A_text_that_is_no_reply_is_all_answer()
    {
        var (events, end) = await Read(Reply, new SamplingOptions { Stop = ["of END", "nowhere"] }, isReply: false);
        Assert.That(Text(events), Is.EqualTo("I think "));
        Assert.That(string.Concat(events.Select(e => e.Token?.Text)), Is.EqualTo("I think "));
        Assert.That(end.StopText, Is.EqualTo("of END"));
    }

    [Test]
    public async Task A_stop_text_does_not_go_on_behind_thinking_or_a_call()
    {
        const string Cut = "one EN<think>D</think>two E<minimax:tool_call><invoke name=\"f\"></invoke></minimax:tool_call>ND three";
        var (events, end) = await Read(Cut, new SamplingOptions { Stop = ["END"] }, startsThinking: false);
        Assert.That(Text(events), Is.EqualTo("one ENtwo END three"));
        Assert.That(end.StopText, Is.Null);
    }

    [Test]
    public async Task Tokens_come_before_what_they_make_certain_and_the_end_comes_last()
    {
        var (events, end) = await Read(Reply, new SamplingOptions { Stop = ["never"] });
        Assert.That(events[0].Token, Is.Not.Null);
        Assert.That(events.Count(e => e.End is not null), Is.EqualTo(1));
        Assert.That(events[^1].End, Is.SameAs(end));
        Assert.That(events.Select(e => (e.Token is null ? 0 : 1) + (e.Part is null ? 0 : 1) + (e.End is null ? 0 : 1)), Is.All.EqualTo(1));
        Assert.That(string.Concat(events.Select(e => e.Token?.Text)), Is.EqualTo(Reply), "in a conversation tokens have their raw text");
        Assert.That(end.Usage.GeneratedTokens, Is.EqualTo(events.Count(e => e.Token is not null)));
    }

    // The last token's piece has what was held back, so that pieces joined are the whole text.
    [TestCase("It is the be")]
    [TestCase("It is é")]
    public async Task What_was_held_back_belongs_to_the_last_token(string text)
    {
        var (events, _) = await Read(text, new SamplingOptions { Stop = ["beginning"] }, isReply: false);
        Assert.That(string.Concat(events.Select(e => e.Token?.Text)), Is.EqualTo(text));
        Assert.That(Text(events), Is.EqualTo(text));
    }

    [Test]
    public async Task A_cancelled_request_gives_out_what_it_held()
    {
        var (events, end) = await Read("It is the be", new SamplingOptions { Stop = ["beginning"] }, isReply: false, cancel: true);
        Assert.That(Text(events), Is.EqualTo("It is the be"));
        Assert.That((end.Reason, end.Error), Is.EqualTo((FinishReason.Cancelled, (Exception?)null)));
    }

    private static string Text(IEnumerable<GenerationEvent> events) =>
        string.Concat(events.Select(e => e.Part).OfType<ReplyText>().Select(t => t.Text));

    private static string Thinking(IEnumerable<GenerationEvent> events) =>
        string.Concat(events.Select(e => e.Part).OfType<ThinkingText>().Select(t => t.Text));

    private static async Task<(List<GenerationEvent> Events, GenerationEnd End)> Read(
        string reply, SamplingOptions options, bool isReply = true, bool startsThinking = true, bool cancel = false)
    {
        var ids = Tokenizer.Encode(reply);
        var parser = isReply ? ReplyParser.Create("minimax_m2", new ReplyOptions { StartsThinking = startsThinking }) : null;
        var generation = new Generation([0], () => { }, CancellationToken.None);
        var request = new Request();
        var kept = Enumerable.Range(0, Tokenizer.VocabularySize).Where(Tokenizer.IsSpecial).ToHashSet();
        request.Begin(generation, new RequestTerms
        {
            Sampling = options, EndTokens = [], Room = cancel ? ids.Length + 1 : ids.Length,
            Reply = new ReplyDecoder(Tokenizer, parser, kept, options),
        });
        foreach (var id in ids)
        {
            request.Accept(new TokenChoice(id, float.NaN, []));
            if (request.Finished is not null) break;
        }
        request.Finish(request.Finished ?? FinishReason.Cancelled);
        var events = new List<GenerationEvent>();
        await foreach (var happened in generation.Events()) events.Add(happened);
        return (events, generation.End!);
    }
}
