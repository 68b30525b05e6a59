using CsCheck;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Runtime.Sampling;

/// <summary>The tokens that stay are those that sorting would leave.</summary>
public sealed class SurvivorsTests
{
    [Test]
    public void They_are_the_largest_and_what_ties_with_the_last() =>
        Gen.Select(Gen.Int[1, 6000], Gen.Int[0, 3000], Gen.Int[0, 3], Gen.Int).Sample((count, k, kind, seed) =>
        {
            var random = new Random(seed);
            var logits = Enumerable.Range(0, count).Select(i => kind switch
            {
                0 => random.Next(5),
                1 => i / 10f,
                2 => random.Next(3) == 0 ? float.NegativeInfinity : random.NextSingle() * 9,
                _ => (random.NextSingle() - random.NextSingle()) * 20,
            }).ToArray();
            var below = random.Next(2) == 0 ? float.PositiveInfinity : random.NextSingle() * 10;
            var survivors = new Survivors();
            survivors.Find(logits, k, below);
            var largest = logits.Max();
            var least = k == 0 || k >= count ? float.MinValue : logits.OrderDescending().ElementAt(k - 1);
            int[] expected = [.. Enumerable.Range(0, count)
                .Where(i => logits[i] >= least && logits[i] >= largest - below && logits[i] > float.NegativeInfinity)];
            Assert.That(survivors.Ids.ToArray(), Is.EqualTo(expected));
            Assert.That(survivors.Values.ToArray(), Is.EqualTo(expected.Select(id => logits[id])));
            Assert.That(survivors.Largest, Is.EqualTo(largest));
        }, iter: 400);

    [Test]
    public void The_k_th_largest_is_found_in_any_order() =>
        Gen.Select(Gen.Int[1, 2000], Gen.Int, Gen.Int[0, 3]).Sample((count, seed, kind) =>
        {
            var random = new Random(seed);
            var values = Enumerable.Range(0, count)
                .Select(i => (float)(kind switch { 0 => i, 1 => -i, 2 => random.Next(4), _ => random.NextDouble() })).ToArray();
            var k = random.Next(1, count + 1);
            var expected = values.OrderDescending().ElementAt(k - 1);
            Assert.That(Selection.KthLargest(values, k), Is.EqualTo(expected));
        }, iter: 1000);

    [Test]
    public void The_least_weights_go_while_they_may() =>
        Gen.Select(Gen.Int[1, 2000], Gen.Int, Gen.Int[0, 2]).Sample((count, seed, kind) =>
        {
            var random = new Random(seed);
            // Whole numbers: sums are exact in any order.
            var weights = Enumerable.Range(0, count).Select(_ => (double)(kind == 0 ? random.Next(1, 4) : random.Next(1 << (kind * 10)))).ToArray();
            var budget = Math.Floor(weights.Sum() * random.NextDouble());
            var sorted = weights.Order().ToArray();
            var (cut, sum) = (0, 0.0);
            while (cut < count - 1 && sum + sorted[cut] <= budget) sum += sorted[cut++];
            var (threshold, ties) = Selection.CutBelow([.. weights], 0, budget);
            Assert.That((threshold, ties), Is.EqualTo((sorted[cut], sorted.Skip(cut).Count(w => w == sorted[cut]))));
        }, iter: 1000);
}
