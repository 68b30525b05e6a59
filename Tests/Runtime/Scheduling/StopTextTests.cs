using CsCheck;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Scheduling;

public sealed class StopTextTests
{
    private static readonly Gen<string> Few = Gen.OneOf("a", "b", "ab", "ba", "aab").Array[1, 8].Select(string.Concat);

    [Test]
    public void Finds_what_ends_first_however_the_text_is_cut() =>
        Gen.Select(Few.Array[1, 4], Gen.OneOf("a", "b", "c").Array[0, 30].Select(string.Concat), Gen.Int[1, 5].Array[40], Gen.Bool)
            .Sample((stops, text, cuts, include) =>
            {
                var (wanted, found) = Plain(stops, text, include);
                var reading = new StopText(stops, include);
                var got = "";
                foreach (var piece in Cut(text, cuts)) got += reading.Push(piece);
                got += reading.Flush();
                return got == wanted && reading.Found == found;
            }, iter: 20_000);

    [Test]
    public void Holds_back_only_what_may_become_a_stop_text()
    {
        var reading = new StopText(["stop", "opera"], include: false);
        Assert.That(reading.Push("it sto"), Is.EqualTo("it "));
        Assert.That(reading.Push("o "), Is.EqualTo("stoo "));
        Assert.That(reading.Push("sto"), Is.Empty);
        Assert.That(reading.Push("ope"), Is.EqualTo("sto"));
        Assert.That(reading.Push("ra!"), Is.Empty);
        Assert.That(reading.Found, Is.EqualTo("opera"));
        Assert.That(reading.Push("more"), Is.Empty);
    }

    [Test]
    public void Looks_for_nothing_while_it_may_not_stop()
    {
        var reading = new StopText(["END"], include: true);
        Assert.That(reading.Push("END E", mayStop: false), Is.EqualTo("END E"));
        Assert.That(reading.Push("ND"), Is.EqualTo("ND"), "what was given out is no beginning of anything");
        Assert.That(reading.Push(" END."), Is.EqualTo(" END"));
    }

    // A comparison of every beginning with every end of what is held would need 10^11 steps here.
    [Test]
    public void Takes_one_step_a_character_however_long_the_texts_are()
    {
        string[] stops = [new string('a', 200_000) + "b", new string('a', 150_000) + "c"];
        var reading = new StopText(stops, include: false);
        var length = 0;
        for (var i = 0; i < 30_000; i++) length += reading.Push("aaaaaaaaaa").Length;
        Assert.That(length, Is.EqualTo(300_000 - 200_000));
        Assert.That(reading.Push("b"), Is.Empty);
        Assert.That(reading.Found, Has.Length.EqualTo(200_001));
    }

    // Character by character, with every text compared at every place.
    private static (string Text, string? Found) Plain(string[] stops, string text, bool include)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var found = stops.Where(stop => text.AsSpan(0, end).EndsWith(stop)).MaxBy(stop => stop.Length);
            if (found is not null) return (text[..(include ? end : end - found.Length)], found);
        }
        return (text, null);
    }

    private static IEnumerable<string> Cut(string text, int[] cuts)
    {
        var at = 0;
        for (var i = 0; at < text.Length; i++)
        {
            var length = Math.Min(cuts[i], text.Length - at);
            yield return text.Substring(at, length);
            at += length;
        }
    }
}
