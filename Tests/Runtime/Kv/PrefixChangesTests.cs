using CsCheck;
using Quilt.Runtime.Kv;

namespace Quilt.Tests.Runtime.Kv;

/// <summary>Who follows the changes of an index knows what can be found in it.</summary>
public sealed class PrefixChangesTests
{
    [Test]
    public void Who_follows_the_changes_knows_what_can_be_found() => Gen.Int[0, 63].Array[1, 100].Sample(events =>
    {
        const int Blocks = 8;
        var changes = new PrefixChanges();
        var index = new PrefixIndex(Blocks, 1) { Changed = changes.Note };
        var (known, came, went) = (new HashSet<BlockHash>(), new List<BlockHash>(), new List<BlockHash>());
        foreach (var e in events)
        {
            var (block, content, what) = (e % Blocks, e / Blocks % 4, e / 32);
            // Fewer contents than blocks: some are held twice.
            if (what == 0) index.Publish(block, new BlockHash((ulong)content, 0, 0, 0), [content]);
            else index.Withdraw(block);
            if (content != 0) continue;
            (came, went) = ([], []);
            changes.Drain(came, went);
            known.ExceptWith(went);
            known.UnionWith(came);
            var there = Enumerable.Range(0, 4).Where(one => index.Find(new BlockHash((ulong)one, 0, 0, 0), [one]) >= 0);
            Assert.That(known, Is.EquivalentTo(there.Select(one => new BlockHash((ulong)one, 0, 0, 0))));
            Assert.That(changes.IsEmpty);
        }
    }, iter: 500, threads: 1);
}
