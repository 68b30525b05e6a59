using System.Numerics;
using System.Runtime.InteropServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Execution;

/// <summary>
/// One device's end of what ties several together (docs/tensor-parallel.md): sums over all of them, which every device then has, to the bit the same.
/// All devices call the same methods in the same order. Numbers go through the host's memory.
/// </summary>
/// <remarks>
/// Of each sum every device adds up one slice, in the order of the devices: the work is shared, and the order of additions never changes.
/// </remarks>
internal sealed unsafe class DeviceLink : IDisposable
{
    private readonly DeviceExchange exchange;
    private readonly DeviceShare share;
    private readonly AttentionSpec attention;
    private readonly GpuDevice? gpu;
    private readonly Part vocabulary;
    private HostMemory? staging;
    private int[] rows = [];

    /// <param name="exchange">Where the devices meet.</param>
    /// <param name="share">Which of them this is.</param>
    /// <param name="whole">The decoder that they run together.</param>
    /// <param name="device">The device.</param>
    public DeviceLink(DeviceExchange exchange, DeviceShare share, DecoderSpec whole, Device device)
    {
        (this.exchange, this.share, attention, gpu) = (exchange, share, whole.Attention, device as GpuDevice);
        vocabulary = share.Vocabulary(whole.VocabularySize);
    }

    /// <summary>Makes room for numbers on their way; before each step, on the device's own thread.</summary>
    /// <param name="floats">Most of a sum or of a part of the logits.</param>
    public void Reserve(long floats)
    {
        if (gpu is null || staging?.Bytes >= floats * sizeof(float)) return;
        staging?.Dispose();
        staging = new HostMemory(gpu, floats * sizeof(float));
    }

    /// <summary>A step's tokens as rows of this device's part of the embedding; those of other devices are any row.</summary>
    public ReadOnlySpan<int> RowsOf(ReadOnlySpan<int> tokens)
    {
        if (rows.Length < tokens.Length) rows = new int[Math.Max(tokens.Length, 2 * rows.Length)];
        for (var t = 0; t < tokens.Length; t++) rows[t] = vocabulary.Has(tokens[t]) ? tokens[t] - vocabulary.First : 0;
        return rows.AsSpan(0, tokens.Length);
    }

    /// <summary>
    /// <paramref name="x"/> [tokens, model]: rows of each device's part of the embedding come in, each token's own goes out, from whichever device
    /// has it.
    /// </summary>
    public void Embedded(OpStream ops, Matrix x)
    {
        Publish(ops, x);
        var result = exchange.Result(x.Rows, x.Columns);
        for (var t = share.Index; t < x.Rows; t += share.Count)
            new Matrix(exchange.Places[exchange.Owner[t]], x.Rows, x.Columns).Row(t).CopyTo(result.Row(t));
        Take(ops, x, result);
    }

    /// <summary>Puts the sum of all devices' matrices in the place of each.</summary>
    public void Sum(OpStream ops, Matrix x)
    {
        Publish(ops, x);
        var result = exchange.Result(x.Rows, x.Columns);
        var count = (long)x.Rows * x.Columns;
        // Slices of whole cache lines.
        var lines = (count + 15) / 16;
        var (first, end) = (lines * share.Index / share.Count * 16, Math.Min(count, lines * (share.Index + 1) / share.Count * 16));
        if (end > first) AddUp(result.Data, first, (int)(end - first));
        Take(ops, x, result);
    }

    /// <summary>
    /// Norms of queries and keys over all heads of a token, of which this device has some: q is [tokens, own query heads · headDim], k the same of
    /// keys, both changed.
    /// </summary>
    public void NormAcross(OpStream ops, Matrix q, NativeBuffer ofQ, Matrix k, NativeBuffer ofK, float epsilon)
    {
        var mark = ops.Mark();
        var squares = ops.Scratch(q.Rows, 2);
        ops.Squares(q, k, share.CountsKeyHeads(attention.KeyValueHeads), into: squares);
        Sum(ops, squares);
        ops.RmsNormBy(q, squares, column: 0, attention.Heads * attention.HeadDim, ofQ, epsilon);
        ops.RmsNormBy(k, squares, column: 1, attention.KeyValueHeads * attention.HeadDim, ofK, epsilon);
        ops.Release(mark);
    }

    /// <summary>
    /// All logits [rows, vocabulary], in the host's memory, of which <paramref name="part"/> is this device's [rows, own rows of the vocabulary].
    /// They are valid until the next step.
    /// </summary>
    public Matrix Gather(OpStream ops, Matrix part, int columns)
    {
        exchange.Meet(share.Index);      // the last sum may still be read
        var all = exchange.Result(part.Rows, columns);
        if (gpu is null)
        {
            for (var t = 0; t < part.Rows; t++) part.Row(t).CopyTo(all.Row(t).Slice(vocabulary.First, vocabulary.Count));
        }
        else if (part.Rows > 0)
        {
            Bring(ops, part);
            var own = new Matrix((float*)staging!.Data, part.Rows, part.Columns);
            for (var t = 0; t < part.Rows; t++) own.Row(t).CopyTo(all.Row(t).Slice(vocabulary.First, vocabulary.Count));
        }
        exchange.Meet(share.Index);
        return all;
    }

    public void Dispose() => staging?.Dispose();

    private void Publish(OpStream ops, Matrix x)
    {
        if (gpu is not null) Bring(ops, x);
        exchange.Places[share.Index] = gpu is null ? x.Data : (float*)staging!.Data;
        exchange.Meet(share.Index);
    }

    // Nobody overwrites what others may still read: all have read when all have come here, and the result stays until all come to the next sum.
    private void Take(OpStream ops, Matrix x, Matrix result)
    {
        exchange.Meet(share.Index);
        if (gpu is null)
        {
            result.Values.CopyTo(x.Values);
            return;
        }
        result.Values.CopyTo(new Span<float>(staging!.Data, result.Values.Length));
        staging.Send(ops.Gpu!.Queue, 0, result.Values.Length, ops.Gpu.View(x));
    }

    private void Bring(OpStream ops, Matrix x)
    {
        staging!.Bring(ops.Gpu!.Queue, ops.Gpu.View(x), 0);
        ops.Gpu.Wait();
    }

    private void AddUp(float* result, long first, int count)
    {
        var to = new Span<float>(result + first, count);
        new ReadOnlySpan<float>(exchange.Places[0] + first, count).CopyTo(to);
        for (var device = 1; device < share.Count; device++)
        {
            var from = new ReadOnlySpan<float>(exchange.Places[device] + first, count);
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(to);
            var more = MemoryMarshal.Cast<float, Vector<float>>(from);
            for (var i = 0; i < vectors.Length; i++) vectors[i] += more[i];
            for (var i = vectors.Length * Vector<float>.Count; i < count; i++) to[i] += from[i];
        }
    }
}
