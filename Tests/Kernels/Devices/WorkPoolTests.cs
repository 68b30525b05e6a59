using Quilt.Kernels.Devices;

namespace Quilt.Tests.Kernels.Devices;

public sealed class WorkPoolTests
{
    [Test]
    public void Every_item_runs_once([Values(1, 2, 5)] int threads, [Values(1, 2, 3, 100, 10_000)] int items)
    {
        using var pool = new WorkPool(threads);
        for (var round = 0; round < 20; round++)
        {
            var job = new Count(new int[items]);
            pool.Run(items, ref job);
            Assert.That(job.Times, Is.All.EqualTo(1));
        }
    }

    [Test]
    public void A_second_caller_is_told_and_the_first_is_not_disturbed()
    {
        using var pool = new WorkPool(2);
        using var started = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        var first = Task.Factory.StartNew(() =>
        {
            var job = new Wait(started, release);
            pool.Run(2, ref job);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        started.Wait();
        Assert.That(Second, Throws.InvalidOperationException.With.Message.Contains("one caller at a time"));
        release.Set();
        Assert.That(() => first.Wait(TimeSpan.FromSeconds(30)), Is.True);
        Assert.That(Second, Throws.Nothing, "the pool is free again");

        void Second()
        {
            var job = new Count(new int[10]);
            pool.Run(10, ref job);
        }
    }

    [Test]
    public void An_item_that_calls_the_pool_again_is_told_and_the_pool_goes_on()
    {
        using var pool = new WorkPool(3);
        var nested = new Nested(pool);
        Assert.That(() => pool.Run(4, ref nested), Throws.InvalidOperationException);
        var job = new Count(new int[1000]);
        pool.Run(1000, ref job);
        Assert.That(job.Times, Is.All.EqualTo(1));
    }

    private readonly struct Count(int[] times) : IJob
    {
        public int[] Times => times;

        public void Execute(int item) => Interlocked.Increment(ref times[item]);
    }

    private readonly struct Wait(ManualResetEventSlim started, ManualResetEventSlim release) : IJob
    {
        public void Execute(int item)
        {
            started.Set();
            release.Wait();
        }
    }

    private readonly struct Nested(WorkPool pool) : IJob
    {
        public void Execute(int item)
        {
            var job = new Count(new int[10]);
            pool.Run(10, ref job);
        }
    }
}
