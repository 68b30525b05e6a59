using System.Diagnostics;
using Quilt.Formats;
using Quilt.Formats.Chat;
using Quilt.Runtime;

namespace Quilt.Hosting.Telemetry;

/// <summary>One small request through a new engine, so that the first user does not wait for code to be compiled and weights to be touched.</summary>
internal static class WarmUp
{
    private const int Tokens = 2;

    /// <summary>Runs it and leaves nothing behind; the engine is idle afterwards.</summary>
    /// <returns>How long it took.</returns>
    /// <exception cref="Exception">The request failed, or the engine did.</exception>
    public static async Task<TimeSpan> RunAsync(Engine engine, CancellationToken cancel)
    {
        var start = Stopwatch.GetTimestamp();
        var sampling = engine.DefaultSampling with { MaxTokens = Tokens, IgnoreEos = true };
        var request = new GenerationRequest { Sampling = sampling, CacheSalt = "warm-up" };
        var generation = Start(engine, request, cancel);
        await foreach (var happened in generation.Events(cancel).ConfigureAwait(false))
        {
            if (happened.End?.Error is { } error) throw error;
        }
        // Runs behind the request's last step: when it is done the engine has told its observer all of it. What an earlier process left in the
        // tiers is what the first user comes for.
        await engine.ResetCacheAloneAsync().WaitAsync(cancel).ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(start);
    }

    // The way of a conversation warms up more; not every model has one, and a template may refuse this one.
    private static Generation Start(Engine engine, GenerationRequest request, CancellationToken cancel)
    {
        if (engine is { Template: not null, Tokenizer: not null })
        {
            try
            {
                return engine.Submit(request with { Conversation = new Conversation().Add("user", "Hi") }, cancel)[0];
            }
            catch (BadInputException)
            {
            }
        }
        return engine.Submit(request with { Tokens = [0] }, cancel)[0];
    }
}
