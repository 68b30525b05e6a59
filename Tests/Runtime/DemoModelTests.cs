using System.Text.Json;
using Quilt.Formats.Chat;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Kernels;

namespace Quilt.Tests.Runtime;

/// <summary>
/// Trained models answer as another implementation recorded it. Beside each `reference.json` lie the forms of the model; its replies are those of the
/// mixed one. A reply may differ where the recorded margin between the two best tokens is thin, hence a share and not all.
/// </summary>
[Category("Conformance")]
public sealed class DemoModelTests
{
    private const double ShareReproduced = 0.97;
    private const double AccuracyTolerance = 0.01;

    // Keys and values of three bits of mantissa: up to three tasks of the demo's 179.
    private const double Fp8Tolerance = 0.02;
    private const int MaxTokens = 200;

    public static IEnumerable<TestCaseData> Models()
    {
        foreach (var folder in Shared.Folders("models"))
        {
            foreach (var (device, activations, cache) in Ways)
            {
                yield return new TestCaseData(folder, device, activations, cache)
                    .SetArgDisplayNames(Path.GetFileName(folder) ?? "none", device, activations.ToString(), $"cache in {cache}");
            }
        }
    }

    // What the engine chooses where a full-length sequence fits in float32, where it does not, with int8 activations; FP8 where told; and on a GPU.
    private static IEnumerable<(string Device, Activations Activations, KvType Cache)> Ways =>
    [
        ("cpu", Activations.Float, KvType.Float32), ("cpu", Activations.Float, KvType.BFloat16), ("cpu", Activations.Int8, KvType.BFloat16),
        ("cpu", Activations.Float, KvType.Fp8), ("cpu", Activations.Int8, KvType.Fp8),
        .. from target in Target.Gpus
           where target.ToString() == "gpu:0"
           from activations in new[] { Activations.Float, Activations.BFloat16 }
           select (target.ToString(), activations, KvType.BFloat16),
    ];

    [TestCaseSource(nameof(Models))]
    public async Task Gives_the_recorded_replies(string? folder, string device, Activations activations, KvType cache)
    {
        using var reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(Shared.Require(folder), "reference.json")));
        await using var engine = await Engine.OpenAsync(Path.Combine(folder!, "fp8-int4"),
            new EngineOptions { Device = device, Threads = 2, Activations = activations, KvType = cache });
        var cases = reference.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        var generations = cases.Select(test => engine.Chat(Conversation(test), new SamplingOptions { Temperature = 0, MaxTokens = MaxTokens }))
            .ToArray();

        var (reproduced, scored, right) = (0, 0, 0);
        for (var i = 0; i < cases.Length; i++)
        {
            var wanted = Ids(cases[i].GetProperty("ids"));
            var ids = await Ids(generations[i]);
            Assert.That(generations[i].PromptIds, Is.EqualTo(Ids(cases[i].GetProperty("prompt_ids"))), $"prompt of case {i}");
            if (ids.SequenceEqual(wanted)) reproduced++;
            if (cases[i].GetProperty("expected_reply").GetString() is not { } expected) continue;
            scored++;
            if (Reply(engine, ids) == expected) right++;
        }

        var accuracy = (double)right / scored;
        TestContext.Out.WriteLine(string.Concat(
            $"{Path.GetFileName(folder)} on {device}, {activations} activations, cache in {cache}: {reproduced} of {cases.Length} replies ",
            "reproduced, ",
            $"{100 * accuracy:0.0} % of {scored} tasks right"));
        Assert.That((double)reproduced / cases.Length, Is.GreaterThanOrEqualTo(activations == Activations.Float ? ShareReproduced : 0.9));
        var within = cache == KvType.Fp8 ? Fp8Tolerance : AccuracyTolerance;
        Assert.That(accuracy, Is.EqualTo(reference.RootElement.GetProperty("accuracy").GetDouble()).Within(within + 1e-9));
    }

    private static Conversation Conversation(JsonElement test)
    {
        var tools = test.GetProperty("tools");
        var json = $$"""{"messages": {{test.GetProperty("messages").GetRawText()}}, "tools": {{tools.GetRawText()}}}""";
        return Quilt.Formats.Chat.Conversation.Read(System.Text.Encoding.UTF8.GetBytes(json), "reference.json");
    }

    private static string Reply(Engine engine, int[] ids)
    {
        const string ThinkingEnds = "</think>\n\n";
        var text = engine.Tokenizer!.Decode(ids, skipSpecialTokens: false);
        var end = engine.Tokenizer.Decode([ids[^1]]);
        if (engine.Tokenizer.IsSpecial(ids[^1]) && text.EndsWith(end, StringComparison.Ordinal)) text = text[..^end.Length];
        var at = text.IndexOf(ThinkingEnds, StringComparison.Ordinal);
        return at < 0 ? text : text[(at + ThinkingEnds.Length)..];
    }

    private static async Task<int[]> Ids(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return [.. ids];
    }

    private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}
