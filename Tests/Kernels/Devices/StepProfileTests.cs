using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels.Ops;
using Quilt.Tests.Kernels.Weights;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Kernels.Devices;

/// <summary>A profile says of each part what it did and how long, and changes nothing.</summary>
[TestFixtureSource(typeof(Target), nameof(Target.Isas))]
public sealed class StepProfileTests(Isa isa)
{
    private const int Rows = 96, Columns = 256, Tokens = 5;

    [Test]
    public void The_parts_add_up_to_the_steps()
    {
        using var device = new CpuDevice(isa, threads: 2);
        using var ops = new OpStream(device, Activations.Int8);
        using var weight = RandomWeights.Make("int4-g32", 1, Rows, Columns, seed: 1);
        var profile = ops.Profile = Watching(weight);
        var before = Stopwatch.GetTimestamp();
        for (var step = 0; step < 3; step++)
        {
            ops.Reset();
            profile.BeginStep();
            Product(ops, weight);
            profile.EndStep();
        }
        var whole = Stopwatch.GetTimestamp() - before;
        var parts = 0L;
        foreach (var total in profile.Totals) parts += total.Ticks;
        Assert.That(profile.Steps, Is.EqualTo(3));
        Assert.That(parts, Is.InRange(1, whole));
        Assert.That(Of(profile, StepPart.Down).Ticks, Is.Positive);
    }

    [Test]
    public void A_product_is_counted_for_what_its_weight_is_for_and_its_input_for_itself()
    {
        using var device = new CpuDevice(isa, threads: 2);
        using var ops = new OpStream(device, Activations.Int8);
        using var weight = RandomWeights.Make("int4-g32", 1, Rows, Columns, seed: 1);
        using var stranger = RandomWeights.Make("bf16", 1, Rows, Columns, seed: 2);
        var profile = ops.Profile = Watching(weight);
        profile.BeginStep();
        Product(ops, weight);
        Product(ops, stranger);
        profile.EndStep();

        var product = Of(profile, StepPart.Down);
        Assert.That(product.Calls, Is.EqualTo(1));
        Assert.That(product.Operations, Is.EqualTo(2.0 * Tokens * Rows * Columns));
        Assert.That(product.Bytes, Is.EqualTo(weight.Bytes));
        // The reference multiplies floats.
        Assert.That(Of(profile, StepPart.QuantizeInput).Calls, Is.EqualTo(isa == Isa.Reference ? 0 : 1));
        Assert.That(Of(profile, StepPart.Other).Bytes, Is.EqualTo(stranger.Bytes));
        Assert.That(Of(profile, StepPart.Head).Calls, Is.Zero);

        profile.Clear();
        Assert.That(Of(profile, StepPart.Down).Calls + profile.Steps, Is.Zero);
    }

    [Test]
    public void A_stack_of_experts_is_read_as_far_as_the_plan_asks()
    {
        using var device = new CpuDevice(isa, threads: 1);
        using var ops = new OpStream(device);
        using var weight = RandomWeights.Make("int4-g32", 4, Rows, Columns, seed: 1);
        using var plan = new ExpertPlan();
        plan.Prepare(Tokens, 2, 4);
        for (var t = 0; t < Tokens; t++) (plan.Ids[2 * t], plan.Ids[(2 * t) + 1]) = (0, 3);
        plan.Sort();
        var profile = ops.Profile = Watching(weight);
        profile.BeginStep();
        var x = ops.Scratch(Tokens, Columns);
        OpTests.Fill(x.Values, 1, 1);
        weight.MatMulExperts(ops, x, plan, ExpertRows.Tokens, ops.Scratch(plan.Pairs, Rows));
        profile.EndStep();
        Assert.That(Of(profile, StepPart.Down).Bytes, Is.EqualTo(weight.Bytes / 2.0));
        Assert.That(Of(profile, StepPart.Down).Operations, Is.EqualTo(2.0 * 2 * Tokens * Rows * Columns));
    }

    [Test]
    public void Attention_reads_each_sequence_once_and_multiplies_what_each_token_sees([Values(int.MaxValue, 4)] int window)
    {
        using var device = new CpuDevice(isa, threads: 1);
        using var ops = new OpStream(device);
        using var scene = new AttentionScene(ops, [20, 9], heads: 4, kvHeads: 2, headDim: 16, blockTokens: 16, KvType.BFloat16);
        var profile = ops.Profile = Watching();
        var q = ops.Scratch(3, 4 * 16);
        OpTests.Fill(q.Values, 1, 1);
        profile.BeginStep();
        // Two tokens of the first sequence, one of the second.
        scene.Attend(ops, q, [18, 19, 8], [0, 0, 1], window);
        profile.EndStep();
        var (seen, cached) = window == 4 ? (4 + 4 + 4, 5 + 4) : (19 + 20 + 9, 20 + 9);
        var attention = Of(profile, StepPart.Attention);
        Assert.That(attention.Operations, Is.EqualTo(2.0 * 2 * 4 * 16 * seen));
        Assert.That(attention.Bytes, Is.EqualTo(2.0 * cached * 2 * 16 * 2));
    }

    [Test]
    public void Jobs_of_the_pool_are_counted_and_their_items_fit_into_their_time()
    {
        const int Large = 1 << 10;
        using var device = new CpuDevice(isa, threads: 2);
        using var ops = new OpStream(device);
        var profile = ops.Profile = Watching();
        var (a, b) = (ops.Scratch(Large, Large), ops.Scratch(Large, Large));
        a.Values.Fill(1);
        b.Values.Fill(2);
        profile.BeginStep();
        ops.Add(a, into: b);
        profile.EndStep();
        var add = Of(profile, StepPart.Add);
        Assert.That(b.Values.IndexOfAnyExcept(3f), Is.EqualTo(-1));
        Assert.That(add.Calls, Is.EqualTo(1));
        // The reference runs in one piece.
        Assert.That(add.Jobs, Is.EqualTo(isa == Isa.Reference ? 0 : 1));
        Assert.That(add.JobTicks, Is.LessThanOrEqualTo(add.Ticks));
        Assert.That(add.ItemTicks, Is.LessThanOrEqualTo(2 * add.JobTicks));
    }

    [Test]
    public void The_numbers_are_the_same_with_a_profile()
    {
        using var device = new CpuDevice(isa, threads: 2);
        using var ops = new OpStream(device, Activations.Int8);
        using var weight = RandomWeights.Make("int4-g32", 1, Rows, Columns, seed: 1);
        var alone = Product(ops, weight).Values.ToArray();
        ops.Profile = Watching(weight);
        ops.Profile.BeginStep();
        Assert.That(Product(ops, weight).Values.ToArray(), Is.EqualTo(alone));
    }

    private static StepProfile Watching(params Weight[] weights) => new(2, weights.ToDictionary(weight => weight, _ => StepPart.Down));

    private static PartTotals Of(StepProfile profile, StepPart part) => profile.Totals[(int)part];

    private static Matrix Product(OpStream ops, Weight weight)
    {
        var x = ops.Scratch(Tokens, Columns);
        OpTests.Fill(x.Values, seed: 1, scale: 1);
        var y = ops.Scratch(Tokens, Rows);
        weight.MatMul(ops, x, y);
        return y;
    }
}

/// <summary>What weights are for.</summary>
public sealed class WeightPartsTests
{
    [Test]
    public void Every_weight_of_a_decoder_has_a_part()
    {
        using var folder = new TinyFolder();
        using var model = LoadedModel.Open(folder.Path, new EngineOptions { Threads = 1 }, null, default);
        var weights = model.Decoder.Weights;
        var parts = WeightParts.Of(weights);
        Assert.That(weights.Products.Select(weight => parts[weight]), Is.All.Not.EqualTo(StepPart.Other));
        Assert.That(weights.Layers.Select(layer => parts[layer.Experts!.Router.Weight]), Is.All.EqualTo(StepPart.Router));
        Assert.That(parts[weights.Head], Is.EqualTo(StepPart.Head));
    }
}
