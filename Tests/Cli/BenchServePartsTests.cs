using System.Text;
using System.Text.Json;
using CsCheck;
using Quilt.Cli.Bench.Serve;

namespace Quilt.Tests.Cli;

/// <summary>What `bench serve` is made of: its clock of arrivals, its percentiles, what it reads and what it says.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class BenchServePartsTests
{
    private static readonly LoadOptions Load = new(10, 2, null, 3, 40, 8, 0, 1, LoadEndpoint.Chat);

    [Test]
    public void Gaps_between_arrivals_are_exponential()
    {
        const int Count = 50_000;
        var arrivals = ArrivalSchedule.Poisson(20, Count, 7);
        var gaps = arrivals.Skip(1).Zip(arrivals, (later, earlier) => later - earlier).ToArray();
        Assert.That(arrivals[0], Is.Zero);
        Assert.That(gaps, Is.All.GreaterThanOrEqualTo(0));
        Assert.That(gaps.Average(), Is.EqualTo(0.05).Within(2).Percent);
        // The deviation of an exponential is its mean; exp(-1) of the gaps are longer than it.
        Assert.That(Math.Sqrt(gaps.Average(gap => Math.Pow(gap - 0.05, 2))), Is.EqualTo(0.05).Within(3).Percent);
        Assert.That(gaps.Count(gap => gap > 0.05) / (double)gaps.Length, Is.EqualTo(Math.Exp(-1)).Within(2).Percent);
    }

    [Test]
    public void The_same_seed_gives_the_same_schedule()
    {
        var schedule = ArrivalSchedule.Poisson(3, 100, 5);
        Assert.That(ArrivalSchedule.Poisson(3, 100, 5), Is.EqualTo(schedule));
        Assert.That(schedule, Is.Not.EqualTo(ArrivalSchedule.Poisson(3, 100, 6)));
        Assert.That(ArrivalSchedule.Poisson(6, 100, 5), Is.EqualTo(schedule.Select(at => at / 2)).Within(1e-9));
    }

    [Test]
    public void Percentiles_are_those_of_the_nearest_rank()
    {
        Assert.That(Distribution.Of([.. Enumerable.Range(1, 100).Reverse().Select(i => (double)i)]), Is.EqualTo(new Distribution(50.5, 50, 90, 99)));
        Assert.That(Distribution.Of([3, 1, 2]), Is.EqualTo(new Distribution(2, 2, 3, 3)));
        Assert.That(Distribution.Of([4]), Is.EqualTo(new Distribution(4, 4, 4, 4)));
        Assert.That(Distribution.Of([]).P50, Is.NaN);
        Gen.Double[0, 10].List[1, 300].Sample(samples =>
        {
            var found = Distribution.Of([.. samples]);
            foreach (var (percent, value) in new[] { (50, found.P50), (90, found.P90), (99, found.P99) })
            {
                Assert.That(samples.Count(sample => sample <= value) * 100, Is.GreaterThanOrEqualTo(samples.Count * percent));
                Assert.That(samples.Count(sample => sample < value) * 100, Is.LessThan(samples.Count * percent));
            }
        });
    }

    [TestCase("data: a\n\ndata:b\n\n", "a|b")]
    [TestCase("data: a\r\n\r\ndata: b\r\n\r\n", "a|b")]
    [TestCase("data: a\r\rdata: b\r\r", "a|b")]
    [TestCase(": comment\n\nevent: x\nid: 3\ndata: a\ndata:  b\ndata\n\n\n", "a/ b/")]
    [TestCase("data: a\n\nevent: lone\n\ndata: end", "a|end")]
    [TestCase("datum: a\n\n", "")]
    public void Events_are_the_same_however_the_bytes_come(string text, string expected)
    {
        for (var piece = 1; piece <= text.Length; piece++)
            Assert.That(string.Join('|', Events(Encoding.UTF8.GetBytes(text), piece)).Replace('\n', '/'), Is.EqualTo(expected), $"pieces of {piece}");
    }

    [Test]
    public void A_long_event_is_read_and_one_without_end_is_refused()
    {
        var text = new string('x', 100_000);
        Assert.That(Events(Encoding.UTF8.GetBytes($"data: {text}\n\ndata: b\n\n"), 1000), Is.EqualTo(new[] { text, "b" }));
        using var reader = new SseReader(new Pieces(Encoding.UTF8.GetBytes($"data: {text}"), 1000), mostBytes: 50_000);
        Assert.That(async () => await reader.ReadAsync(default), Throws.TypeOf<InvalidDataException>());
    }

    [TestCase("""{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""", false)]
    [TestCase("""{"choices":[{"delta":{"content":"x"}}]}""", true)]
    [TestCase("""{"choices":[{"delta":{"reasoning":"x","content":null}}]}""", true)]
    [TestCase("""{"choices":[{"delta":{"reasoning_content":"x"}}]}""", true)]
    [TestCase("""{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}""", true)]
    [TestCase("""{"choices":[{"text":"x"}]}""", true)]
    [TestCase("""{"choices":[{"logprobs":{"content":[{"token":"x"}]},"delta":{},"finish_reason":"stop"}],"usage":null}""", false)]
    [TestCase("""{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":1}}}""", false)]
    public void A_chunk_has_tokens_where_it_carries_text_thinking_or_a_call(string json, bool has)
    {
        var chunk = ReplyChunk.Read(Encoding.UTF8.GetBytes(json));
        Assert.That(chunk.HasTokens, Is.EqualTo(has));
        Assert.That(chunk.IsLast, Is.EqualTo(json.Contains("\"stop\"", StringComparison.Ordinal)));
        var usage = json.Contains("[],", StringComparison.Ordinal) ? (3, 4) : ((int?)null, (int?)null);
        Assert.That((chunk.PromptTokens, chunk.OutputTokens), Is.EqualTo(usage));
        Assert.That(chunk.Error, Is.Null);
    }

    [Test]
    public void Text_and_thinking_are_kept_once_though_thinking_has_two_names()
    {
        var (content, reasoning) = (new StringBuilder(), new StringBuilder());
        ReplyChunk.Read("""{"choices":[{"delta":{"reasoning":"hm\n","reasoning_content":"hm\n","content":"é"}}]}"""u8, content, reasoning);
        Assert.That((content.ToString(), reasoning.ToString()), Is.EqualTo(("é", "hm\n")));
    }

    [Test]
    public void An_error_says_its_message_and_what_is_no_object_is_refused()
    {
        Assert.That(ReplyChunk.Read("""{"error":{"message":"no","code":500}}"""u8).Error, Is.EqualTo("no"));
        Assert.That(ReplyChunk.Read("""{"error":"no"}"""u8).Error, Is.EqualTo("no"));
        foreach (var bad in new[] { "", "[]", "{", "{\"choices\":[{\"delta\":", "x" })
            Assert.That(() => ReplyChunk.Read(Encoding.UTF8.GetBytes(bad)), Throws.InstanceOf<JsonException>(), bad);
    }

    [Test]
    public void Times_between_chunks_of_several_tokens_are_scaled_to_tokens()
    {
        var second = System.Diagnostics.Stopwatch.Frequency;
        var clock = new ReplyClock(0);
        foreach (var at in new[] { 2, 3, 5 }) clock.Tick(at * second);
        Assert.That(clock.FirstToken, Is.EqualTo(2));
        Assert.That(clock.Gaps(3), Is.EqualTo(new[] { 1.0, 2 }));
        Assert.That(clock.Gaps(7), Is.EqualTo(new[] { 1.0 / 3, 2.0 / 3 }), "their mean is 3 s over 6 tokens");
        Assert.That(clock.Gaps(7).Average(), Is.EqualTo(0.5));
    }

    [Test]
    public void Prompts_differ_from_the_first_word_that_is_not_shared([Values(0, 9)] int shared)
    {
        var plan = new PromptPlan(PromptWords.Candidates, 1, 30, shared, 30);
        var maker = new PromptMaker(plan, 4);
        var all = Enumerable.Range(0, 50).Select(i => maker.First(i).Split(' ')).ToArray();
        Assert.That(all.Select(words => words.Length), Is.All.EqualTo(30));
        Assert.That(all.Select(words => string.Join(' ', words.Take(shared))).Distinct().Count(), Is.EqualTo(1));
        Assert.That(all.Select(words => words[shared]).Distinct().Count(), Is.EqualTo(50));
        Assert.That(maker.Next(0, 1).Split(' '), Has.Length.EqualTo(30 - shared));
        Assert.That(maker.Next(0, 1), Is.Not.EqualTo(maker.Next(0, 2)));
        Assert.That(new PromptMaker(plan, 4).First(7), Is.EqualTo(maker.First(7)));
        Assert.That(new PromptMaker(plan, 5).First(7), Is.Not.EqualTo(maker.First(7)));
    }

    [Test]
    public async Task Words_that_are_no_single_token_are_left_out()
    {
        // Words with an e take two tokens, the template takes 11.
        static int Tokens(string text) => 11 + text.Split(' ').Sum(word => word.Length > 1 && word.Contains('e', StringComparison.Ordinal) ? 2 : 1);
        var counts = 0;
        var plan = await new PromptFit((text, _) => Task.FromResult(Tokens(text) + (0 * counts++)), null, 600).FitAsync(Load, default);
        Assert.That((plan.WordTokens, plan.TextWords, plan.PromptTokens), Is.EqualTo((1, 29, 40)));
        Assert.That(plan.Words, Is.All.Matches<string>(word => Tokens(word!) == 12));
        Assert.That(plan.Words, Has.Count.GreaterThan(100));
        Assert.That(counts, Is.LessThanOrEqualTo(605));
        Assert.That(Tokens(new PromptMaker(plan, 1).First(3)), Is.EqualTo(40));
    }

    [Test]
    public async Task Lengths_that_cannot_be_hit_are_told()
    {
        // A token a byte: every further word is a space and a letter.
        var bytes = await new PromptFit((text, _) => Task.FromResult(text.Length), null, 600).FitAsync(Load, default);
        Assert.That((bytes.WordTokens, bytes.PromptTokens), Is.EqualTo((2, 39)));
        var template = await new PromptFit((text, _) => Task.FromResult(100 + text.Split(' ').Length), null, 600).FitAsync(Load, default);
        Assert.That((template.TextWords, template.PromptTokens), Is.EqualTo((1, 101)));
        var unknown = await new PromptFit(null, null, 600).FitAsync(Load, default);
        Assert.That((unknown.TextWords, unknown.PromptTokens), Is.EqualTo((40, (int?)null)));
    }

    private static List<string> Events(byte[] bytes, int piece)
    {
        using var reader = new SseReader(new Pieces(bytes, piece));
        var found = new List<string>();
        while (reader.ReadAsync(default).AsTask().GetAwaiter().GetResult()) found.Add(Encoding.UTF8.GetString(reader.Data));
        return found;
    }

    // Gives so many bytes at a time.
    private sealed class Pieces(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
