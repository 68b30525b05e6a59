using Quilt.Formats.Checkpoints;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Quantizer;

/// <summary>Conformance data of a checkpoint tool: folders with inputs and what another implementation made of them.</summary>
internal static class GoldenCase
{
    /// <summary>Every folder with results at or below a place of the conformance data; one null where there are none.</summary>
    public static IEnumerable<TestCaseData> Of(string place)
    {
        var root = Path.Combine(Shared.Root, place);
        var found = Directory.Exists(root)
            ? Directory.EnumerateFiles(root, "expected.json", SearchOption.AllDirectories).Select(Path.GetDirectoryName)
                .Order(StringComparer.Ordinal).ToArray()
            : [];
        return (found.Length > 0 ? found : [null])
            .Select(folder => new TestCaseData(folder).SetArgDisplayNames(folder is null ? "none" : Path.GetRelativePath(root, folder)));
    }

    /// <summary>The numbers of one prompt.</summary>
    public static StepTrace Trace(string folder, int[] tokens)
    {
        using var checkpoint = Checkpoint.Open(folder);
        var options = new EngineOptions { Threads = 2 };
        using var device = options.OpenDevice();
        var tracer = new LayerwiseTracer(Architectures.Describe(checkpoint.Config), new CheckpointParts(checkpoint, device, null, default),
            device, options);
        return tracer.Run(tokens, layers: true);
    }
}
