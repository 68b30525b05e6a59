using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Cli.Bench;

/// <summary>Weights of a MiniMax-M2 made on a GPU by chance: attention in FP8, experts in INT4, the rest as in the files of that mix.</summary>
internal sealed class RandomParts(GpuDevice device, IProgress<LoadProgress>? progress, CancellationToken cancel) : IDecoderParts
{
    private long done;

    private enum Kind
    {
        BFloat16,
        Float32,
        Fp8,
        Int4,
    }

    public Weight Weight(ModuleShape[] stack)
    {
        cancel.ThrowIfCancellationRequested();
        var (name, rows, columns) = (stack[0].Name, stack[0].Rows, stack[0].Columns);
        var weight = KindOf(name) switch
        {
            Kind.Int4 => RandomGpuWeight.Int4(device, name, stack.Length, rows, columns),
            Kind.Fp8 => RandomGpuWeight.Fp8(device, name, stack.Length, rows, columns),
            Kind.Float32 => RandomGpuWeight.Float32(device, name, stack.Length, rows, columns),
            _ => RandomGpuWeight.BFloat16(device, name, stack.Length, rows, columns),
        };
        done += weight.Bytes;
        progress?.Report(new LoadProgress(done, done, name));
        return weight;
    }

    public long Bytes(ModuleShape[] stack) => (long)((double)stack.Length * stack[0].Rows * stack[0].Columns / 8 * (KindOf(stack[0].Name) switch
    {
        Kind.Int4 => 4 + (16 / 32.0),
        Kind.Fp8 => 8 + (32 / 128.0),
        Kind.Float32 => 32,
        _ => 16,
    }));

    private static Kind KindOf(string name) => name.Contains(".experts.", StringComparison.Ordinal) ? Kind.Int4
        : name.Contains(".self_attn.", StringComparison.Ordinal) ? Kind.Fp8
        : name.Contains(".gate", StringComparison.Ordinal) ? Kind.Float32 : Kind.BFloat16;

    // Gains are ones; the router's correction leaves the choice to the scores.
    public void Fill(VectorShape vector, Span<float> into) => into.Fill(vector.Name.EndsWith("norm.weight", StringComparison.Ordinal) ? 1 : 0);

    public bool HeadIsEmbedding(ModuleShape head) => false;

    public void Finish()
    {
    }
}
