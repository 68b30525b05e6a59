using System.Globalization;
using System.Numerics;
using Quilt.Quantizer.Calibration;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>Random numbers against those of numpy.</summary>
public sealed class NumpyRandomTests
{
    // What default_rng(42).permutation(10) prints, and default_rng(7).permutation(17).
    [TestCase("42", new[] { 5, 6, 0, 7, 3, 2, 4, 9, 1, 8 })]
    [TestCase("42", new[] { 2, 1, 0 })]
    [TestCase("7", new[] { 3, 16, 6, 8, 1, 10, 0, 7, 4, 15, 14, 13, 2, 12, 5, 9, 11 })]
    [TestCase("0", new[] { 0 })]
    [TestCase("0", new int[0])]
    public void Permutes_as_numpy(string seed, int[] expected) =>
        Assert.That(NumpyRandom.Permutation(Parse(seed), expected.Length), Is.EqualTo(expected));

    // numpy's own reference data for PCG64 seeded through a SeedSequence, and default_rng(42).random().
    [Test]
    public void Makes_the_bits_of_numpy()
    {
        var random = new NumpyRandom(0xdeadbeaf);
        Assert.That(random.Next64(), Is.EqualTo(0x60d24054e17a0698));
        Assert.That((new NumpyRandom(42).Next64() >> 11) * Math.Pow(2, -53), Is.EqualTo(0.7739560485559633));
    }

    // The reference data of SeedSequence: seeds of four words.
    [TestCase(new uint[] { 3735928559, 195939070, 229505742, 305419896 }, new uint[] { 3914649087, 576849849, 3593928901, 2229911004 })]
    [TestCase(new uint[] { 2766103236, 2883057919, 4029656435, 862374500 }, new uint[] { 296367413, 4262059219, 13109864, 3283683422 })]
    public void Mixes_long_seeds_as_numpy(uint[] words, uint[] expected)
    {
        var seed = words.Reverse().Aggregate(BigInteger.Zero, (sum, word) => (sum << 32) | word);
        Assert.That(NumpySeed.Generate(seed, expected.Length), Is.EqualTo(expected));
    }

    [Test]
    public void Every_seed_and_size_gives_a_permutation_of_its_own()
    {
        var seen = new HashSet<string>();
        foreach (var seed in (string[])["0", "1", "4294967295", "4294967296", "340282366920938463463374607431768211456"])
        {
            foreach (var size in (int[])[64, 65, 590, 4096])
            {
                var order = NumpyRandom.Permutation(Parse(seed), size);
                Assert.That(order.Order(), Is.EqualTo(Enumerable.Range(0, size)));
                Assert.That(seen.Add(string.Join(' ', order)));
            }
        }
    }

    private static BigInteger Parse(string seed) => BigInteger.Parse(seed, CultureInfo.InvariantCulture);
}
