using Quilt.Kernels.Ops;

namespace Quilt.Quantizer.Awq.Match;

/// <summary>
/// Routed experts as transformers computes them, one after another: each product, the activation, its product, each weighted output and each sum
/// rounded to the model's type.
/// </summary>
internal sealed class MatchedBlock(Precision precision, bool roundsRouting, int model, int width)
{
    /// <summary>round(round(silu(round(gate · x))) · round(up · x)) [tokens, width].</summary>
    public float[] Activate(float[] gate, float[] up, float[] x)
    {
        var tokens = x.Length / model;
        float[] g = new float[tokens * width], u = new float[g.Length];
        MatchedProduct.Run(gate, width, x, g);
        MatchedProduct.Run(up, width, x, u);
        for (var i = 0; i < g.Length; i++)
        {
            var a = precision.Round(g[i]);
            var silu = precision.Round(a / (1 + MathF.Exp(-a)));
            g[i] = precision.Round(silu * precision.Round(u[i]));
        }
        return g;
    }

    /// <summary>round(down · a) [tokens, model].</summary>
    public float[] Project(float[] down, float[] a)
    {
        var y = new float[a.Length / width * model];
        MatchedProduct.Run(down, model, a, y);
        precision.Round(y);
        return y;
    }

    /// <summary>
    /// Adds what an expert says of its tokens to the block's output [all tokens, model]; experts come in ascending order.
    /// </summary>
    /// <param name="output">The block's output.</param>
    /// <param name="plan">Whose tokens are whose, and their weights.</param>
    /// <param name="expert">Which expert.</param>
    /// <param name="y">Its outputs, a row for each of its tokens.</param>
    public void Add(float[] output, ExpertPlan plan, int expert, float[] y)
    {
        for (var pair = plan.Offsets[expert]; pair < plan.Offsets[expert + 1]; pair++)
        {
            var token = plan.PairToken[pair];
            var weight = plan.GateOf(token, expert);
            if (roundsRouting) weight = precision.Round(weight);
            var from = y.AsSpan((pair - plan.Offsets[expert]) * model, model);
            var to = output.AsSpan(token * model, model);
            for (var i = 0; i < model; i++) to[i] = precision.Round(to[i] + precision.Round(from[i] * weight));
        }
    }

    /// <summary>The rows of an expert's tokens.</summary>
    public float[] Rows(float[] x, ExpertPlan plan, int expert)
    {
        var (first, end) = (plan.Offsets[expert], plan.Offsets[expert + 1]);
        var rows = new float[(end - first) * model];
        for (var pair = first; pair < end; pair++)
            x.AsSpan(plan.PairToken[pair] * model, model).CopyTo(rows.AsSpan((pair - first) * model));
        return rows;
    }
}
