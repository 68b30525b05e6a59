using Microsoft.Extensions.Options;
using Quilt.Hosting;
using Quilt.Hosting.OpenAi.Responses;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>The bounds of what is kept.</summary>
public sealed class ResponseStoreTests
{
    private readonly ManualTime time = new();

    [Test]
    public void Keeps_so_many_and_lets_the_oldest_go()
    {
        var store = Store(options => options.MaxStoredResponses = 3);
        for (var i = 0; i < 5; i++) store.Add(Response($"{i}", 10));
        Assert.That(store.Count, Is.EqualTo(3));
        Assert.That(Enumerable.Range(0, 5).Select(i => store.Find($"{i}", "t") is not null), Is.EqualTo([false, false, true, true, true]));
    }

    [Test]
    public void Keeps_so_many_bytes()
    {
        var one = Response("0", 10_000).Bytes;
        var store = Store(options => options.MaxStoredBytes = (3 * one) - 1);
        for (var i = 0; i < 5; i++)
        {
            store.Add(Response($"{i}", 10_000));
            Assert.That(store.Bytes, Is.EqualTo(Math.Min(i + 1, 2) * one));
        }
        Assert.That(store.Find("4", "t"), Is.Not.Null);
        store.Add(Response("large", 40_000));
        Assert.That(store.Find("large", "t"), Is.Null);
        Assert.That(store.Count, Is.EqualTo(2));
    }

    [Test]
    public void Keeps_nothing_where_nothing_may_be_kept()
    {
        var store = Store(options => options.MaxStoredResponses = 0);
        store.Add(Response("0", 10));
        Assert.That((store.Count, store.Bytes), Is.EqualTo((0, 0L)));
    }

    [Test]
    public void Forgets_what_is_too_old()
    {
        var store = Store(options => options.StoredResponseTime = TimeSpan.FromHours(1));
        store.Add(Response("0", 10));
        time.Advance(TimeSpan.FromMinutes(59));
        store.Add(Response("1", 10));
        Assert.That(store.Find("0", "t"), Is.Not.Null);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(store.Find("0", "t"), Is.Null);
        Assert.That(store.Find("1", "t"), Is.Not.Null);
        Assert.That(store.Count, Is.EqualTo(1));
    }

    [Test]
    public void Shows_and_forgets_for_its_owner_alone()
    {
        var store = Store(_ => { });
        store.Add(Response("0", 10));
        Assert.That((store.Find("0", "other"), store.Find("0", null), store.Remove("0", "other"), store.Remove("1", "t")),
            Is.EqualTo(((object?)null, (object?)null, false, false)));
        Assert.That(store.Remove("0", "t"), Is.True);
        Assert.That((store.Count, store.Bytes), Is.EqualTo((0, 0L)));
    }

    [Test]
    public void Holds_its_bounds_whatever_many_threads_do()
    {
        var store = Store(options => (options.MaxStoredResponses, options.MaxStoredBytes) = (50, 100_000));
        Parallel.For(0, 4, thread =>
        {
            for (var i = 0; i < 2000; i++)
            {
                store.Add(Response($"{thread}-{i}", i % 5000));
                store.Find($"{thread}-{i - 3}", "t");
                if (i % 3 == 0) store.Remove($"{thread}-{i - 1}", "t");
                if (store.Count > 50 || store.Bytes > 100_000) throw new InvalidOperationException("too much");
            }
        });
        Assert.That(store.Count, Is.InRange(1, 50));
    }

    private ResponseStore Store(Action<QuiltServerOptions> configure)
    {
        var options = new QuiltServerOptions();
        configure(options);
        return new(Options.Create(options), time);
    }

    private static StoredResponse Response(string id, int bytes) => new(id, "t", new byte[bytes], new byte[bytes]);
}
