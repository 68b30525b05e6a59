using Quilt.Runtime.Execution;

namespace Quilt.Tests.Runtime.Execution;

/// <summary>Threads of several devices: they meet where they say so, and one that fails stops the others and nobody later.</summary>
public sealed class LockStepTests
{
    [Test]
    public void What_a_thread_wrote_before_a_meeting_is_seen_by_all_after_it([Values(1, 2, 5)] int count)
    {
        LockStep threads = null!;
        var written = new int[count];
        var sums = new int[count];
        using (threads = new LockStep(count, Work))
        {
            for (var run = 0; run < 20; run++) threads.Run();
        }
        // Every meeting added one to each of the numbers, and every thread then saw them all.
        Assert.That(sums, Is.All.EqualTo(Enumerable.Range(1, 20 * 50).Sum(n => n * count)));

        void Work(int index)
        {
            for (var i = 0; i < 50; i++)
            {
                written[index]++;
                threads.Meet(index);
                sums[index] += written.Sum();
                threads.Meet(index);
            }
        }
    }

    [Test]
    public void One_that_fails_stops_the_others_and_the_caller_hears_of_it_and_can_go_on([Values(0, 1, 2)] int bad)
    {
        LockStep threads = null!;
        var fails = true;
        var done = new int[3];
        using (threads = new LockStep(3, Work))
        {
            Assert.That(threads.Run, Throws.TypeOf<InvalidDataException>().With.Message.EqualTo($"device {bad}"));
            Assert.That(done, Is.All.Zero);
            fails = false;
            threads.Run();
        }
        Assert.That(done, Is.All.EqualTo(1));

        void Work(int index)
        {
            threads.Meet(index);
            if (fails && index == bad) throw new InvalidDataException($"device {bad}");
            threads.Meet(index);
            done[index]++;
        }
    }
}
