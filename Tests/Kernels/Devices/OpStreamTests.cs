using CsCheck;
using Quilt.Kernels.Devices;

namespace Quilt.Tests.Kernels.Devices;

public sealed unsafe class OpStreamTests
{
    private static readonly CpuDevice Device = new(Isa.Reference, threads: 1);

    [Test]
    public void Hands_out_aligned_memory_that_never_overlaps()
    {
        Gen.Int[1, 300_000].Array[1, 12].Sample(sizes =>
        {
            using var ops = new OpStream(Device);
            for (var step = 0; step < 3; step++)
            {
                ops.Reset();
                var taken = new List<(long Start, long End)>();
                foreach (var size in sizes)
                {
                    var start = (long)ops.Bytes(size);
                    if (start % 64 != 0 || taken.Any(t => start < t.End && t.Start < start + size)) return false;
                    taken.Add((start, start + size));
                }
            }
            return true;
        }, iter: 50);
    }

    [Test]
    public void Gives_the_same_memory_again_after_a_release()
    {
        using var ops = new OpStream(Device);
        ops.Scratch(3, 5);
        var mark = ops.Mark();
        var first = ops.Scratch(7, 9);
        ops.Release(mark);

        Assert.That((long)ops.Scratch(2, 2).Data, Is.EqualTo((long)first.Data));
    }

    [Test]
    public void Keeps_what_was_taken_before_the_mark_when_a_new_chunk_was_opened_since()
    {
        using var ops = new OpStream(Device);
        var before = ops.Scratch(1, 16);
        before.Values.Fill(3);
        var mark = ops.Mark();
        ops.Scratch(4096, 4096);
        ops.Release(mark);
        ops.Scratch(1, 1 << 20).Values.Fill(7);

        Assert.That(before.Values.ToArray(), Is.All.EqualTo(3f));
    }

    [Test]
    public void Allocates_nothing_once_it_has_seen_a_step()
    {
        using var ops = new OpStream(Device);
        for (var warm = 0; warm < 3; warm++) Step(ops);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Step(ops);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        static void Step(OpStream ops)
        {
            ops.Reset();
            ops.Scratch(100, 1000);
            ops.Scratch(2000, 1000);
            var mark = ops.Mark();
            ops.Scratch(10, 10);
            ops.Release(mark);
        }
    }
}
