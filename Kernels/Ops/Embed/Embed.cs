using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Ops;

/// <summary>y[t] = row tokens[t] of the embedding.</summary>
internal static partial class EmbedOp
{
    /// <summary><paramref name="into"/> [tokens, model]; the embedding is [vocabulary, model].</summary>
    public static unsafe void Embed(this OpStream ops, Ints tokens, Weight embedding, Matrix into)
    {
        Debug.Assert(into.Rows == tokens.Length && into.Columns == embedding.Columns, "embed: shapes differ");
        if (ops.Gpu is not null)
        {
            ((GpuWeight)embedding).Embed(ops.Gpu, tokens, into);
            return;
        }
        using var watch = ops.Watch(StepPart.Embed);
        if (ops.Device.Isa == Isa.Reference)
        {
            Reference(tokens.Host, embedding, into);
            return;
        }
        fixed (int* first = tokens.Host)
        {
            var job = new Job(first, embedding, into);
            ops.Deal(job.Items, 8L * into.Values.Length, ref job);
        }
    }

    private readonly unsafe struct Job(int* tokens, Weight embedding, Matrix into) : IJob
    {
        private readonly int step = Dealing.RowsAnItem(into.Columns);

        public int Items => (into.Rows + step - 1) / step;

        public void Execute(int item)
        {
            var end = Math.Min(into.Rows, (item + 1) * step);
            for (var row = item * step; row < end; row++) embedding.Dequantize(0, tokens[row], into.Row(row));
        }
    }
}
