using Quilt.Tests.Hosting.Browser;

namespace Quilt.Tests.Hosting;

/// <summary>
/// The picture of the page that the README shows (docs/page.png), drawn from the page as it is: the environment variable QUILT_PICTURE names the
/// file that it is written to; without it the picture is only looked at.
/// </summary>
public sealed class PagePictureTests : PageFixture
{
    private const int MostBytes = 120_000;

    private const string Reply = """
        A sliding window keeps the running sum, so every value is read once, whatever the width:

        ```csharp
        static IEnumerable<double> Means(IEnumerable<double> values, int width)
        {
            var (window, sum) = (new Queue<double>(width), 0.0);
            foreach (var value in values)
            {
                window.Enqueue(value);
                sum += value;
                if (window.Count > width) sum -= window.Dequeue();
                if (window.Count == width) yield return sum / width;
            }
        }
        ```

        Fewer than `width` values give **nothing**: a mean of fewer is another figure.
        """;

    [Test]
    public async Task The_picture_of_the_readme_is_small()
    {
        Server.Script = async (request, reply) =>
        {
            await reply.ThinkAsync("A queue and a running sum.");
            await Task.Delay(1600, reply.Gone);
            foreach (var piece in Reply.Chunk(4))
            {
                await reply.SayAsync(new string(piece));
                await Task.Delay(4, reply.Gone);
            }
        };
        var page = await OpenAsync();
        await page.RunAsync("""
            import('/page/store.js').then(async (store) => {
              await store.open();
              const day = 24 * 3600 * 1000;
              const titles = ["Plan a week in the Alps by train", "Why a bloom filter never says no", "Tests for a parser of dates",
                "Bread with a cold ferment"];
              for (const [i, title] of titles.entries()) {
                const updated = Date.now() - (i < 2 ? 3600 * 1000 * (i + 1) : day * (i - 0.9));
                await store.put({ id: `other${i}`, title, updated, created: updated, revision: 0, messages: [] });
              }
            })
            """);
        await page.SayAsync("Write a C# iterator for a moving average.");
        await page.UntilAsync("document.querySelector('.again')", seconds: 30);
        await page.RunAsync("document.activeElement.blur()");
        await page.RunAsync("new Promise((resolve) => setTimeout(resolve, 500))");
        var picture = await page.PictureAsync();
        if (Environment.GetEnvironmentVariable("QUILT_PICTURE") is { Length: > 0 } path)
            await File.WriteAllBytesAsync(path, picture);
        Assert.That(picture, Has.Length.InRange(20_000, MostBytes));
    }
}
