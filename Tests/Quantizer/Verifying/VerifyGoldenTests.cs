using System.Text.Json;
using Quilt.Quantizer.Repair;
using Quilt.Quantizer.Stitching;
using Quilt.Quantizer.Verifying;

namespace Quilt.Tests.Quantizer.Verifying;

/// <summary>What is said of checkpoints that other implementations made: good ones, ones with the router that was shipped, hostile ones.</summary>
[Category("Conformance")]
public sealed class VerifyGoldenTests
{
    private const int RouterCompensation = 8;
    private const int ConfigResolution = 10;

    public static IEnumerable<TestCaseData> Repairs() => GoldenCase.Of("golden/router-repair");

    public static IEnumerable<TestCaseData> Stitches() => GoldenCase.Of("golden/stitch");

    public static IEnumerable<TestCaseData> Checkpoints() => Shared.Folders("golden/checkpoints").Concat(Shared.Folders("golden/architectures"))
        .Select(folder => new TestCaseData(folder).SetArgDisplayNames(Path.GetFileName(folder) ?? "none"));

    // The demo model's folders, each beside the FP8 one among them.
    public static IEnumerable<TestCaseData> Models() => Shared.Folders("models")
        .SelectMany(family => family is null ? [(null, null)] : Pairs(family))
        .Select(pair => new TestCaseData(pair.Item1, pair.Item2).SetArgDisplayNames(Path.GetFileName(pair.Item1) ?? "none"));

    public static IEnumerable<TestCaseData> Hostile()
    {
        var folder = Path.Combine(Shared.Root, "golden/hostile");
        var list = Path.Combine(folder, "cases.json");
        if (!File.Exists(list)) return [new TestCaseData(null, default(JsonElement)).SetArgDisplayNames("none")];
        return JsonDocument.Parse(File.ReadAllBytes(list)).RootElement.EnumerateArray()
            .Where(test => Directory.Exists(Path.Combine(folder, test.GetProperty("path").GetString()!)))
            .Select(test => new TestCaseData(folder, test).SetArgDisplayNames(test.GetProperty("path").GetString()!));
    }

    [TestCaseSource(nameof(Models))]
    public void A_model_that_was_trained_passes_beside_its_original(string? folder, string? official) =>
        AllOk(Verifier.Run(Shared.Require(folder), official));

    [TestCaseSource(nameof(Repairs))]
    public void A_repaired_checkpoint_passes_and_the_published_one_fails_by_its_routers(string? folder)
    {
        using var work = new TemporaryFolder();
        var (official, published) = (Path.Combine(Shared.Require(folder), "official"), Path.Combine(folder!, "published"));
        RouterRepairer.Run(official, published, work.Below("out"), copy: false);
        AllOk(Verifier.Run(work.Below("out"), official));
        FailsByRouters(Verifier.Run(published, official));
    }

    [TestCaseSource(nameof(Stitches))]
    public void A_stitched_checkpoint_passes_with_the_repair_and_fails_by_its_routers_without(string? folder)
    {
        using var work = new TemporaryFolder();
        var (official, awq) = (Path.Combine(Shared.Require(folder), "official"), Path.Combine(folder!, "awq"));
        foreach (var repair in new[] { true, false }) Stitcher.Run(official, awq, work.Below($"{repair}"), repair);
        AllOk(Verifier.Run(work.Below($"{true}"), official));
        FailsByRouters(Verifier.Run(work.Below($"{false}"), official));
    }

    [TestCaseSource(nameof(Checkpoints))]
    public void Nothing_fails_in_a_checkpoint_that_other_implementations_load(string? folder)
    {
        var results = Verifier.Run(Shared.Require(folder), null);
        Assert.That(results.Where(result => result.Status == CheckStatus.Fail), Is.Empty);
        Assert.That(results.Select(result => result.Id), Is.EqualTo(Enumerable.Range(1, 12)));
    }

    [TestCaseSource(nameof(Hostile))]
    public void What_does_not_load_fails_a_check_in_the_words_that_tell(string? folder, JsonElement test)
    {
        var results = Verifier.Run(Path.Combine(Shared.Require(folder), test.GetProperty("path").GetString()!), null);
        var fails = results.Where(result => result.Status == CheckStatus.Fail).ToList();
        if (test.GetProperty("expect").GetString() == "load")
        {
            // They show that the loader takes what is stored; their configs may say something else of it.
            Assert.That(fails.Where(result => result.Id != ConfigResolution), Is.Empty);
            return;
        }
        Assert.That(fails, Is.Not.Empty, string.Join("\n", results));
        foreach (var hint in test.GetProperty("hint").EnumerateArray())
            Assert.That(string.Join("\n", fails.Select(result => result.Detail)), Does.Contain(hint.GetString()).IgnoreCase);
        Assert.That(results.Select(result => result.Detail), Has.None.Contains("\n"));
    }

    private static IEnumerable<(string?, string?)> Pairs(string family)
    {
        var folders = Directory.GetDirectories(family).Where(folder => File.Exists(Path.Combine(folder, "config.json"))).Order(StringComparer.Ordinal)
            .ToArray();
        return folders.Select(folder => ((string?)folder, (string?)Array.Find(folders, other => Path.GetFileName(other) == "fp8")))
            .Where(pair => pair.Item2 is not null).DefaultIfEmpty((null, null));
    }

    private static void AllOk(IReadOnlyList<CheckResult> results) =>
        Assert.That(results.Where(result => result.Status is CheckStatus.Warn or CheckStatus.Fail), Is.Empty);

    private static void FailsByRouters(IReadOnlyList<CheckResult> results)
    {
        Assert.That(results.Single(result => result.Id == RouterCompensation).Status, Is.EqualTo(CheckStatus.Fail));
        Assert.That(results.Where(result => result.Id < RouterCompensation && result.Status is CheckStatus.Warn or CheckStatus.Fail), Is.Empty);
    }
}
