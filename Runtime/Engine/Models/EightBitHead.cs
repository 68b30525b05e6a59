using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>
/// Parts whose head is held in eight bits: of MiniMax-M2.5 it is a fifth of the bytes that a token of one sequence reads, and is halved. The
/// embedding stays as stored, also where it serves as the head.
/// </summary>
internal sealed class EightBitHead(IDecoderParts parts, DecoderModules modules, CpuDevice device) : IDecoderParts
{

    public bool AreMapped => parts.AreMapped;

    /// <summary>The parts as <paramref name="options"/> want them.</summary>
    public static IDecoderParts Wrap(IDecoderParts parts, DecoderSpec spec, Device device, EngineOptions options, DeviceShare? share = null) =>
        options.Head == HeadPrecision.EightBit ? new EightBitHead(parts, new DecoderModules(spec, share), (CpuDevice)device) : parts;

    public Weight Weight(ModuleShape[] stack)
    {
        if (stack[0] != modules.Head) return parts.Weight(stack);
        var stored = parts.Weight([Stored]);
        if (!IsWider(stored.Bytes)) return stored;
        using (stored) return EightBitRounding.Of(device, stored);
    }

    public long Bytes(ModuleShape[] stack)
    {
        if (stack[0] != modules.Head) return parts.Bytes(stack);
        var stored = parts.Bytes([Stored]);
        return IsWider(stored) ? EightBitRounding.Bytes(modules.Head.Rows, modules.Head.Columns) : stored;
    }

    public void Fill(VectorShape vector, Span<float> into) => parts.Fill(vector, into);

    public KvScales? CacheScales(int layer) => parts.CacheScales(layer);

    public bool HeadIsEmbedding(ModuleShape head) => false;

    public void Finish() => parts.Finish();

    private ModuleShape Stored => parts.HeadIsEmbedding(modules.Head) ? modules.Embedding : modules.Head;

    // What is stored in eight bits or fewer is taken as it is: rounding it again would only lose.
    private bool IsWider(long bytes) => bytes > EightBitRounding.Bytes(modules.Head.Rows, modules.Head.Columns) * 3 / 2;
}
