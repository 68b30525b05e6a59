using CsCheck;
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
    public void Every_item_runs_once_whoever_is_slow_and_whoever_helps()
    {
        using var small = new WorkPool(2);
        using var large = new WorkPool(7);
        Gen.Select(Gen.Bool, Gen.Int[1, 300], Gen.Int[1, 9], Gen.Int[0, 200].Array[1, 300]).Sample((many, items, threads, delays) =>
        {
            var job = new Slow(new int[items], delays);
            (many ? large : small).Run(items, threads, ref job);
            return Array.TrueForAll(job.Times, times => times == 1);
        }, threads: 1, iter: 100);
    }

    [Test]
    public void A_thread_that_is_held_up_keeps_no_more_than_one_piece()
    {
        using var pool = new WorkPool(2);
        using var release = new ManualResetEventSlim();
        var job = new Held(release, new int[1], new bool[1]);
        pool.Run(Held.Items, ref job);
        Assert.That(job.Released[0], Is.True, "the other items ran while one was held up");
    }

    [Test]
    public void What_an_item_throws_reaches_the_caller_and_the_other_items_run([Values(2, 5)] int threads)
    {
        using var pool = new WorkPool(threads);
        for (var round = 0; round < 20; round++)
        {
            var job = new Throwing(new int[200], round * 10);
            Assert.That(() => pool.Run(200, ref job), Throws.InstanceOf<FormatException>().With.Message.EqualTo($"item {round * 10}"));
            Assert.That(job.Times, Is.All.EqualTo(1));
        }
        var next = new Count(new int[200]);
        Assert.That(() => pool.Run(200, ref next), Throws.Nothing, "it is thrown once");
    }

    [Test]
    public void Many_more_threads_than_cores_finish()
    {
        using var pool = new WorkPool(8 * Environment.ProcessorCount);
        Assert.That(pool.Useful, Is.EqualTo(Environment.ProcessorCount));
        for (var round = 0; round < 100; round++)
        {
            var job = new Count(new int[pool.Threads * 3]);
            pool.Run(job.Times.Length, ref job);
            Assert.That(job.Times, Is.All.EqualTo(1));
        }
    }

    [Test]
    public void Threads_sleep_when_nothing_is_to_do_and_wake_for_the_next_job()
    {
        using var pool = new WorkPool(3);
        for (var round = 0; round < 5; round++)
        {
            Assert.That(() => pool.Sleeping, Is.EqualTo(2).After(30_000, 1));
            using var all = new CountdownEvent(3);
            var job = new Together(all);
            pool.Run(3, ref job);
        }
    }

    [Test]
    public void A_job_on_fewer_threads_leaves_the_others_asleep()
    {
        using var pool = new WorkPool(4);
        Assert.That(() => pool.Sleeping, Is.EqualTo(3).After(30_000, 1));
        var threads = new HashSet<int>();
        for (var round = 0; round < 50; round++)
        {
            var job = new Named(threads);
            pool.Run(40, 2, ref job);
        }
        Assert.That(threads, Has.Count.LessThanOrEqualTo(2));
        Assert.That(pool.Sleeping, Is.GreaterThanOrEqualTo(2));
    }

    [Test]
    public void A_job_allocates_nothing()
    {
        using var pool = new WorkPool(3);
        var job = new Count(new int[500]);
        pool.Run(500, ref job);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 100; round++) pool.Run(500, ref job);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
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

    private readonly struct Slow(int[] times, int[] delays) : IJob
    {
        public int[] Times => times;

        public void Execute(int item)
        {
            Thread.SpinWait(delays[item % delays.Length]);
            if (delays[item % delays.Length] % 50 == 7) Thread.Yield();
            Interlocked.Increment(ref times[item]);
        }
    }

    /// <summary>The first item of one thread's share waits until nearly all others ran.</summary>
    private readonly struct Held(ManualResetEventSlim release, int[] others, bool[] released) : IJob
    {
        public const int Items = 400;

        /// <summary>All but the piece that begins with the item, and that item.</summary>
        public const int Most = Items - 16;

        public bool[] Released => released;

        public void Execute(int item)
        {
            if (item == Items / 2) released[0] = release.Wait(TimeSpan.FromSeconds(30));
            else if (Interlocked.Increment(ref others[0]) == Most) release.Set();
        }
    }

    private readonly struct Throwing(int[] times, int bad) : IJob
    {
        public int[] Times => times;

        public void Execute(int item)
        {
            Interlocked.Increment(ref times[item]);
            if (item == bad) throw new FormatException($"item {item}");
        }
    }

    /// <summary>Each item waits for the others: as many threads as items must be awake.</summary>
    private readonly struct Together(CountdownEvent all) : IJob
    {
        public void Execute(int item)
        {
            all.Signal();
            if (!all.Wait(TimeSpan.FromSeconds(30))) throw new TimeoutException("not all threads came");
        }
    }

    private readonly struct Named(HashSet<int> threads) : IJob
    {
        public void Execute(int item)
        {
            lock (threads) threads.Add(Environment.CurrentManagedThreadId);
        }
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
