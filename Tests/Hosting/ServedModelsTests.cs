using Quilt.Formats;
using Quilt.Hosting;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting;

/// <summary>Models by name: loaded when asked for, kept while in use, dropped for others.</summary>
public sealed class ServedModelsTests
{
    private static readonly long Weights = new DirectoryInfo(DemoHost.Folder).EnumerateFiles("*.safetensors").Sum(file => file.Length);
    private const long Cache = 8 << 20;

    [Test]
    public async Task Loads_a_model_when_it_is_first_asked_for_and_keeps_it()
    {
        await using var models = Models();
        Assert.That(models.All.Select(model => model.Engine), Has.All.Null);
        using var lease = await models.UseAsync("b", default);
        Assert.That(lease.Model.Name, Is.EqualTo("b"));
        Assert.That(models.All.Select(model => model.Engine is not null), Is.EqualTo([false, true, false]));
        using var again = await models.UseAsync("b", default);
        Assert.That(again.Engine, Is.SameAs(lease.Engine));
        using var first = await models.UseAsync(null, default);
        Assert.That(first.Model.Name, Is.EqualTo("a"));
    }

    [Test]
    public async Task Two_that_ask_at_once_load_once()
    {
        await using var models = Models();
        var (opened, gate) = (0, new TaskCompletionSource());
        models.Open = async (folder, options, progress, cancel) =>
        {
            Interlocked.Increment(ref opened);
            await gate.Task;
            return await Engine.OpenAsync(folder, options, progress, cancel);
        };
        var asking = Enumerable.Range(0, 8).Select(_ => models.UseAsync("a", default)).ToArray();
        gate.SetResult();
        var leases = await Task.WhenAll(asking);
        Assert.That(opened, Is.EqualTo(1));
        Assert.That(leases.Select(lease => lease.Engine).Distinct().Count(), Is.EqualTo(1));
        Assert.That(models.All[0].Users, Is.EqualTo(8));
        foreach (var lease in leases)
        {
            lease.Dispose();
            lease.Dispose();
        }
        Assert.That(models.All[0].Users, Is.Zero);
    }

    [Test]
    public async Task Models_in_use_stay_and_the_one_unused_for_longest_goes()
    {
        var time = new ManualTime();
        await using var models = Models(time, memory: $"{2 * (Weights + Cache)}");
        var first = (await models.UseAsync("a", default)).Engine;
        models.GiveBack(models.All[0]);
        time.Advance(TimeSpan.FromSeconds(1));
        (await models.UseAsync("b", default)).Dispose();
        time.Advance(TimeSpan.FromSeconds(1));
        (await models.UseAsync("c", default)).Dispose();
        Assert.That(Loaded(models), Is.EqualTo("bc"));
        Assert.That(() => first.Generate("x"), Throws.InstanceOf<ObjectDisposedException>());
        using var b = await models.UseAsync("b", default);
        (await models.UseAsync("a", default)).Dispose();
        Assert.That(Loaded(models), Is.EqualTo("ab"));
        using var a = await models.UseAsync("a", default);
        var refused = await Assert.ThrowsAsync<ApiException>(() => models.UseAsync("c", default));
        Assert.That((refused!.Status, refused.RetryAfter), Is.EqualTo((503, 5)));
        Assert.That(Loaded(models), Is.EqualTo("ab"), "None is dropped in vain.");
        a.Dispose();
        (await models.UseAsync("c", default)).Dispose();
        Assert.That(Loaded(models), Is.EqualTo("bc"));
    }

    [Test]
    public async Task A_model_that_can_never_fit_is_refused_and_takes_nothing_from_others()
    {
        await using var models = new ServedModels(new QuiltOptions
        {
            Models = { ["a"] = DemoHost.Folder },
            ModelMemory = $"{Weights}",
            KvMemory = $"{Cache}",
        }, TimeProvider.System);
        Assert.That(() => models.UseAsync("a", default), Throws.InstanceOf<NotSupportedException>().With.Message.Contain("ModelMemory"));
    }

    [Test]
    public async Task Caches_without_a_size_share_what_weights_leave()
    {
        await using var models = new ServedModels(new QuiltOptions
        {
            Models = { ["a"] = DemoHost.Folder, ["b"] = DemoHost.Folder },
            ModelMemory = $"{2 * (Weights + Cache)}",
            Engine = new EngineOptions { Threads = 1 },
        }, TimeProvider.System);
        using var a = await models.UseAsync("a", default);
        using var b = await models.UseAsync("b", default);
        Assert.That(Loaded(models), Is.EqualTo("ab"));
        Assert.That(a.Engine.Memory.Cache, Is.InRange(1, Cache));
    }

    [Test]
    public async Task Idle_ones_are_dropped_in_their_time()
    {
        var time = new ManualTime();
        await using var models = Models(time, idle: TimeSpan.FromMinutes(5));
        time.Advance(TimeSpan.FromHours(1));
        var lease = await models.UseAsync("a", default);
        (await models.UseAsync("b", default)).Dispose();
        models.DropIdle();
        Assert.That(Loaded(models), Is.EqualTo("ab"));
        time.Advance(TimeSpan.FromMinutes(5));
        models.DropIdle();
        Assert.That(Loaded(models), Is.EqualTo("a"));
        lease.Dispose();
        time.Advance(TimeSpan.FromMinutes(4.9));
        models.DropIdle();
        Assert.That(Loaded(models), Is.EqualTo("a"));
        time.Advance(TimeSpan.FromMinutes(0.1));
        models.DropIdle();
        Assert.That(Loaded(models), Is.Empty);
        using var again = await models.UseAsync("a", default);
        Assert.That(await again.Engine.Generate("x", new() { MaxTokens = 1 }).ReadToEndAsync(), Is.Not.Null);
    }

    [Test]
    public async Task The_model_of_the_host_stays_whatever_happens()
    {
        var time = new ManualTime();
        await using var models = new ServedModels(new QuiltOptions
        {
            Model = DemoHost.Folder, ModelNames = { "one", "two" }, IdleTime = TimeSpan.FromMinutes(1), Engine = new() { Threads = 1 },
        }, time);
        (await models.UseAsync("two", default)).Dispose();
        time.Advance(TimeSpan.FromHours(1));
        models.DropIdle();
        Assert.That(models.Find("one").Engine, Is.Not.Null);
        Assert.That(models.Find("two").Name, Is.EqualTo("one"));
        var unknown = Assert.Throws<ApiException>(() => models.Find("three"));
        Assert.That((unknown!.Status, unknown.Param), Is.EqualTo((404, "model")));
        Assert.That(unknown.Message, Is.EqualTo("The model `three` does not exist."));
        Assert.That(Assert.Throws<ApiException>(() => models.Find(new string('x', 10_000)))!.Message, Has.Length.LessThan(300));
    }

    [Test]
    public async Task A_failure_to_load_is_told_to_all_who_wait_and_the_next_one_tries_again()
    {
        await using var models = Models();
        var (fails, gate) = (true, new TaskCompletionSource());
        models.Open = async (folder, options, progress, cancel) =>
        {
            await gate.Task;
            return fails ? throw new BadInputException("x", null, "broken") : await Engine.OpenAsync(folder, options, progress, cancel);
        };
        var asking = Enumerable.Range(0, 3).Select(_ => models.UseAsync("a", default)).ToArray();
        gate.SetResult();
        foreach (var task in asking) Assert.That(() => task, Throws.InstanceOf<BadInputException>());
        Assert.That(models.All[0].Users, Is.Zero);
        fails = false;
        using var lease = await models.UseAsync("a", default);
        Assert.That(lease.Engine.Failure, Is.Null);
    }

    [Test]
    public async Task Who_gives_up_does_not_stop_anothers_loading()
    {
        await using var models = Models();
        var gate = new TaskCompletionSource();
        models.Open = async (folder, options, progress, cancel) =>
        {
            await gate.Task;
            return await Engine.OpenAsync(folder, options, progress, cancel);
        };
        using var cancel = new CancellationTokenSource();
        var (quits, stays) = (models.UseAsync("a", cancel.Token), models.UseAsync("a", default));
        await cancel.CancelAsync();
        Assert.That(() => quits, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(models.All[0].Users, Is.EqualTo(1));
        gate.SetResult();
        using var lease = await stays;
        Assert.That(lease.Engine, Is.Not.Null);
    }

    [Test]
    public async Task Closing_stops_what_loads_and_closes_what_is_loaded()
    {
        var models = Models();
        var loaded = (await models.UseAsync("a", default)).Engine;
        var begun = new TaskCompletionSource();
        models.Open = async (folder, options, progress, cancel) =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, cancel);
            return null!;
        };
        var (loading, behind) = (models.UseAsync("b", default), models.UseAsync("c", default));
        await begun.Task;
        await models.DisposeAsync();
        Assert.That(() => loading, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => behind, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => models.UseAsync("a", default), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => loaded.Generate("x"), Throws.InstanceOf<ObjectDisposedException>());
        models.DropIdle();
        models.Dispose();
    }

    [Test]
    public async Task Use_from_many_sides_never_drops_what_is_in_use()
    {
        await using var models = Models(memory: $"{2 * (Weights + Cache)}");
        var (served, refused) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async side =>
        {
            for (var i = 0; i < 6; i++)
            {
                try
                {
                    using var lease = await models.UseAsync("abc"[(side + i) % 3].ToString(), default);
                    await lease.Engine.Generate("Hello", new() { MaxTokens = 2 }).ReadToEndAsync();
                    Interlocked.Increment(ref served);
                }
                catch (ApiException busy) when (busy.Status == 503)
                {
                    Interlocked.Increment(ref refused);
                    await Task.Delay(5);
                }
            }
        }));
        Assert.That(served + refused, Is.EqualTo(24));
        Assert.That(served, Is.GreaterThan(0));
        Assert.That(models.All.Select(model => model.Users), Has.All.Zero);
        Assert.That(Loaded(models), Has.Length.InRange(1, 2));
    }

    private static ServedModels Models(TimeProvider? time = null, string? memory = null, TimeSpan? idle = null) => new(new QuiltOptions
    {
        Models = { ["a"] = DemoHost.Folder, ["b"] = DemoHost.Folder, ["c"] = DemoHost.Folder },
        ModelMemory = memory,
        IdleTime = idle,
        KvMemory = $"{Cache}",
        Engine = new EngineOptions { Threads = 1 },
    }, time ?? TimeProvider.System);

    private static string Loaded(ServedModels models) =>
        string.Concat(models.All.Where(model => model.Engine is not null).Select(model => model.Name));
}
