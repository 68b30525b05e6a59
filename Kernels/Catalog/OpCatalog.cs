using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Catalog;

/// <summary>How an operation runs on one target.</summary>
internal enum KernelPath
{
    /// <summary>Vector code of the target's own width.</summary>
    Vectors,

    /// <summary>Plain C#, the same on every CPU target: the operation moves memory or looks at a few values a token.</summary>
    Plain,

    /// <summary>The definition in double precision: slow, for tests.</summary>
    Definition,

    /// <summary>A kernel of the device's own, held to the definition on stand-ins for a GPU; not yet run on one.</summary>
    Kernel,

    /// <summary>The target has no such kernel yet.</summary>
    None,
}

/// <summary>One operation and the way it runs on each target.</summary>
/// <param name="Name">The operation: its folder below Kernels/Ops, its method on the stream, its test and its bench.</param>
/// <param name="Formula">What it computes, in one line.</param>
/// <param name="Cpu">How it runs on every CPU target but the reference.</param>
internal sealed record OpEntry(string Name, string Formula, KernelPath Cpu)
{
    /// <summary>How the operation runs on a CPU with the given instruction set.</summary>
    public KernelPath On(Isa isa) => isa == Isa.Reference ? KernelPath.Definition : Cpu;

    /// <summary>How the operation runs on a GPU.</summary>
    public KernelPath OnGpu { get; init; } = KernelPath.Kernel;
}

/// <summary>Which operation has which target. Tests hold the folders, the tests, the benches and the README's table to it.</summary>
internal static class OpCatalog
{
    /// <summary>Every operation, by name.</summary>
    public static IReadOnlyList<OpEntry> Operations { get; } =
    [
        new("Add", "y += x", KernelPath.Vectors),
        new("AddBias", "y[t] += bias, or the bias of the pair's expert", KernelPath.Vectors),
        new("ClampedSwiglu", "g · sigmoid(1.702 · g) · (u + 1), clamped", KernelPath.Vectors),
        new("Combine", "y[t] = Σ gate · output of the chosen experts", KernelPath.Vectors),
        new("Embed", "y[t] = row of the token", KernelPath.Plain),
        new("Gather", "y[i] = x[rows[i]]", KernelPath.Plain),
        new("PagedAttention", "softmax(q · k) · v over a block table, in a window, with sinks", KernelPath.Vectors),
        new("RmsNorm", "x / rms(x) · gain", KernelPath.Vectors),
        new("Rope", "rotation of the first dimensions of each head", KernelPath.Vectors),
        new("Route", "sigmoid or softmax, bias, groups, top k, gates", KernelPath.Plain),
        new("SiluMul", "silu(gate) · up", KernelPath.Vectors),
        new("TakeOut", "y[i] = x[places[i]], which becomes −∞", KernelPath.Plain),
        new("TopK", "the k largest of each row, with ids, and its sums of exponentials", KernelPath.Plain),
        new("WriteKv", "keys and values into their slots, in FP8 with scales", KernelPath.Vectors),
    ];

    /// <summary>The word for a path that README and <c>quilt doctor</c> use.</summary>
    public static string Word(KernelPath path) => path switch
    {
        KernelPath.Vectors => "vectors",
        KernelPath.Plain => "plain",
        KernelPath.Definition => "definition",
        KernelPath.Kernel => "kernel",
        _ => "not yet",
    };
}
