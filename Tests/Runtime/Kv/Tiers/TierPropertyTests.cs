using CsCheck;
using Quilt.Runtime.Kv.Tiers;

namespace Quilt.Tests.Runtime.Kv.Tiers;

/// <summary>Tiers of this machine against the plainest list there is: what was used last is at its end, what falls off its beginning is
/// gone.</summary>
public sealed class TierPropertyTests
{
    private static readonly Gen<(int Act, int Name)[]> Acts = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 12]).Array[1, 60];

    [Test]
    public void Memory_keeps_what_was_used_last_within_its_budget() => Gen.Select(Gen.Int[1, 8], Acts).Sample((slots, acts) =>
    {
        using var tier = new HostTier(TierImages.Bytes, ((long)slots * TierImages.Bytes) + 17);
        Assert.That(tier.Slots, Is.EqualTo(slots));
        Run(tier, slots, acts, () => tier.Count);
    }, iter: 2000);

    [Test]
    public void A_disk_keeps_what_was_used_last_within_its_budget() => Gen.Select(Gen.Int[1, 8], Acts).Sample((slots, acts) =>
    {
        using var folder = new TierFolder();
        var budget = 8192 + (slots * 8192) + 17L;
        using var tier = new DiskTier(folder.Path, TierImages.Space(), budget);
        Assert.That(tier.Slots, Is.EqualTo(slots));
        Run(tier, slots, acts, () => tier.Count);
        Assert.That(new FileInfo(DiskTier.PathIn(folder.Path, TierImages.Space())).Length, Is.AtMost(budget));
    }, iter: 200);

    [Test]
    public void A_disk_has_after_each_restart_what_was_written_last() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[0, 12].Array[1, 20].Array[1, 4]).Sample((slots, runs) =>
    {
        using var folder = new TierFolder();
        var expected = new List<int>();
        foreach (var run in runs)
        {
            using var tier = new DiskTier(folder.Path, TierImages.Space(), 8192 + (slots * 8192));
            Assert.That(Enumerable.Range(0, 13).Where(name => tier.Holds(TierImages.Hash(name))), Is.EquivalentTo(expected));
            foreach (var name in run)
            {
                if (expected.Contains(name)) continue;
                TierImages.Put(tier, name);
                expected.Add(name);
                if (expected.Count > slots) expected.RemoveAt(0);
            }
            foreach (var name in expected) Assert.That(TierImages.Has(tier, name));
        }
    }, iter: 200);

    private static void Run(KvTier tier, int slots, (int Act, int Name)[] acts, Func<int> count)
    {
        var expected = new List<int>();
        foreach (var (act, name) in acts)
        {
            Assert.That(tier.Holds(TierImages.Hash(name)), Is.EqualTo(expected.Contains(name)));
            if (act == 9 && name == 0)
            {
                tier.Forget();
                expected.Clear();
                continue;
            }
            var had = expected.Remove(name);
            if (act < 5) TierImages.Put(tier, name);
            else if (act < 8) Assert.That(TierImages.Has(tier, name), Is.EqualTo(had));
            else tier.Touch(TierImages.Hash(name));
            if (had || act < 5) expected.Add(name);
            if (expected.Count > slots) expected.RemoveAt(0);
            Assert.That(count(), Is.EqualTo(expected.Count));
        }
        foreach (var name in expected) Assert.That(tier.Holds(TierImages.Hash(name)));
    }
}
