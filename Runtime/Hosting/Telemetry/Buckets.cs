namespace Quilt.Hosting.Telemetry;

/// <summary>Upper bounds of histograms: vLLM's on /metrics, those that the GenAI conventions advise in the meter.</summary>
internal static class Buckets
{
    /// <summary>vLLM's for a request's time and its parts, in seconds.</summary>
    public static readonly double[] Latency =
        [.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

    /// <summary>vLLM's for the time to a first token, in seconds.</summary>
    public static readonly double[] FirstToken =
        [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    /// <summary>vLLM's for the time between two tokens, in seconds.</summary>
    public static readonly double[] InterToken = [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

    /// <summary>vLLM's for tokens of a step.</summary>
    public static readonly double[] StepTokens = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];

    /// <summary>vLLM's for a request's choices.</summary>
    public static readonly double[] Choices = [1, 2, 5, 10, 20];

    /// <summary>vLLM's for a request's preemptions.</summary>
    public static readonly double[] Preemptions = [1, 2, 3, 4, 5, 10, 20];

    /// <summary>A step's time, in seconds: of a small model on a CPU up to a large one that reads a long prompt.</summary>
    public static readonly double[] StepTime = [.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30];

    /// <summary>The conventions' for a request's time, in seconds.</summary>
    public static readonly double[] ConventionDuration = [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

    /// <summary>The conventions' for the time to a first token, in seconds.</summary>
    public static readonly double[] ConventionFirstToken = [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10];

    /// <summary>The conventions' for the time of a token, in seconds.</summary>
    public static readonly double[] ConventionTokenTime = [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5];

    /// <summary>The conventions' for tokens of a request: powers of four.</summary>
    public static readonly long[] ConventionTokens = [.. Enumerable.Range(0, 14).Select(power => 1L << (2 * power))];

    /// <summary>vLLM's for tokens of a request: 1, 2, 5, 10, 20, 50, … as far as <paramref name="most"/>.</summary>
    public static double[] Tokens(int most)
    {
        var bounds = new List<double>();
        for (var power = 1L; power <= most; power *= 10)
        {
            foreach (var bound in (ReadOnlySpan<long>)[power, 2 * power, 5 * power])
            {
                if (bound <= most) bounds.Add(bound);
            }
        }
        return [.. bounds];
    }
}
