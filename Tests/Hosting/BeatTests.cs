using Quilt.Hosting.Http;

namespace Quilt.Tests.Hosting;

/// <summary>Streams that wait for the beat go on together, and nothing runs while nobody waits.</summary>
public sealed class BeatTests
{
    [Test]
    public async Task All_that_wait_go_on_at_the_next_stroke()
    {
        var time = new ManualTime();
        using var beat = new Beat(time);
        var (first, second) = (beat.NextAsync(), beat.NextAsync());
        time.Advance(Beat.Period - TimeSpan.FromMilliseconds(1));
        Assert.That(first.IsCompleted || second.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await Task.WhenAll(first, second);
        var third = beat.NextAsync();
        Assert.That(third.IsCompleted, Is.False, "a stroke is for those who waited");
        time.Advance(Beat.Period);
        await third;
    }

    [Test]
    public async Task Nobody_waits_for_a_beat_that_is_over()
    {
        var beat = new Beat(TimeProvider.System);
        var waiting = beat.NextAsync();
        beat.Dispose();
        await waiting.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(beat.NextAsync().IsCompletedSuccessfully, Is.True);
        var ended = new ManualTime();
        beat = new Beat(ended);
        waiting = beat.NextAsync();
        beat.Dispose();
        Assert.That(waiting.IsCompletedSuccessfully, Is.True, "though its time never comes");
    }
}
