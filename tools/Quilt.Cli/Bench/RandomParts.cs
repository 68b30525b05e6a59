using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Cli.Bench;

/// <summary>Weights of a MiniMax-M2 made on a GPU by chance: attention in FP8, experts in INT4, the rest as in the files of that mix.</summary>
internal sealed class RandomParts(GpuDevice device, IProgress<LoadProgress>? progress, CancellationToken cancel) : IDecoderParts
{
    private long done;

    public Weight Weight(ModuleShape[] stack)
    {
        cancel.ThrowIfCancellationRequested();
        var (name, rows, columns) = (stack[0].Name, stack[0].Rows, stack[0].Columns);
        var weight = name.Contains(".experts.", StringComparison.Ordinal) ? RandomGpuWeight.Int4(device, name, stack.Length, rows, columns)
            : name.Contains(".self_attn.", StringComparison.Ordinal) ? RandomGpuWeight.Fp8(device, name, stack.Length, rows, columns)
            : name.Contains(".gate", StringComparison.Ordinal) ? RandomGpuWeight.Float32(device, name, stack.Length, rows, columns)
            : RandomGpuWeight.BFloat16(device, name, stack.Length, rows, columns);
        done += weight.Bytes;
        progress?.Report(new LoadProgress(done, done, name));
        return weight;
    }

    // Gains are ones; the router's correction leaves the choice to the scores.
    public void Fill(VectorShape vector, Span<float> into) => into.Fill(vector.Name.EndsWith("norm.weight", StringComparison.Ordinal) ? 1 : 0);

    public bool HeadIsEmbedding(ModuleShape head) => false;

    public void Finish()
    {
    }
}
