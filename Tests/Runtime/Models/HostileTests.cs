using System.Diagnostics;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Runtime.Models;

/// <summary>
/// Broken files and folders are refused in clear words, quickly and without large allocations; odd ones that are right load and compute what they
/// should.
/// </summary>
[Category("Conformance")]
public sealed class HostileTests
{
    public static IEnumerable<TestCaseData> Cases() => All("golden/hostile");

    public static IEnumerable<TestCaseData> Odd() => All("golden/odd-but-valid");

    [TestCaseSource(nameof(Cases))]
    public void Is_refused_with_a_hint_or_loads(string? folder, JsonElement test)
    {
        var path = Path.Combine(Shared.Require(folder), test.GetProperty("path").GetString()!);
        if (test.GetProperty("expect").GetString() == "load")
        {
            Load(path);
            return;
        }

        Load(path, swallow: true);                    // the second time is measured: the first compiles this code
        var watch = Stopwatch.StartNew();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var refused = Assert.Throws<BadInputException>(() => Load(path))!;
        Assert.That(watch.Elapsed.TotalSeconds, Is.LessThan(2));
        Assert.That(GC.GetTotalAllocatedBytes(precise: true) - before, Is.LessThan(512L << 20));
        Assert.That(refused.Message, Does.Not.Contain("\n"));
        foreach (var hint in test.GetProperty("hint").EnumerateArray()) Assert.That(refused.Message, Does.Contain(hint.GetString()).IgnoreCase);
    }

    [TestCaseSource(nameof(Odd))]
    public void Loads_and_gives_the_reference_s_logits(string? folder, JsonElement test)
    {
        var path = Path.Combine(Shared.Require(folder), test.GetProperty("path").GetString()!);
        var own = Path.Combine(path, "expected.safetensors");
        using var expected = SafeTensorsFile.Open(File.Exists(own) ? own : Path.Combine(folder!, "expected.safetensors"));
        using var model = LoadedModel.Open(path, new EngineOptions { Threads = 2 }, null, default);
        var tokens = expected.ReadIntegers("input_ids").Select(id => (int)id).ToArray();
        var logits = PromptRun.Trace(model, tokens).Logits;
        var wanted = expected.ReadFloats("logits");
        Assert.That(logits, Has.Length.EqualTo(wanted.Length));
        Assert.That(logits.Zip(wanted, (a, b) => Math.Abs(a - b)).Max(), Is.LessThanOrEqualTo(1e-4));
    }

    private static void Load(string path, bool swallow = false)
    {
        try
        {
            if (File.Exists(path)) SafeTensorsFile.Open(path).Dispose();
            else LoadedModel.Open(path, new EngineOptions { Threads = 2 }, null, default).Dispose();
        }
        catch (BadInputException) when (swallow)
        {
        }
    }

    private static IEnumerable<TestCaseData> All(string folder)
    {
        var path = Path.Combine(Shared.Root, folder, "cases.json");
        if (!File.Exists(path))
        {
            yield return new TestCaseData(null, default(JsonElement)).SetArgDisplayNames("none");
            yield break;
        }
        using var document = JsonDocument.Parse(File.ReadAllText(path));
        foreach (var test in document.RootElement.EnumerateArray())
        {
            yield return new TestCaseData(Path.GetDirectoryName(path), test.Clone()).SetArgDisplayNames(test.GetProperty("path").GetString()!);
        }
    }
}
