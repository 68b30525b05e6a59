using System.Runtime;
using Quilt.Formats.Chat;
using Quilt.Runtime;

namespace Quilt.Cli.Bench.Start;

/// <summary>The first reply of a fresh process: when its first token came, how long its steps took, what was compiled meanwhile.</summary>
internal sealed class FirstReply : EngineObserver
{
    private readonly List<(TimeSpan Time, int Compiled)> steps = new(1024);
    private DateTime firstToken;

    /// <summary>When the first token was there.</summary>
    public DateTime FirstToken => firstToken;

    /// <summary>Steps that were made; the first read the prompt.</summary>
    public int Steps => steps.Count;

    /// <summary>Methods that the engine's thread compiled in its steps behind the first.</summary>
    public int CompiledLater => steps.Count == 0 ? 0 : steps[^1].Compiled - steps[0].Compiled;

    /// <summary>Replies to a question and returns what was seen.</summary>
    /// <param name="open">Opens the engine.</param>
    /// <param name="question">The question; a text to go on with where the model has no chat template.</param>
    /// <param name="cancel">Ends the reply.</param>
    public static async Task<FirstReply> RunAsync(Func<EngineObserver, Task<Engine>> open, string question, CancellationToken cancel)
    {
        var seen = new FirstReply();
        await using var engine = await open(seen);
        var request = engine.Template is null ? new GenerationRequest { Text = question }
            : new GenerationRequest { Conversation = new Conversation().Add("user", question) };
        var sampling = engine.DefaultSampling with { Temperature = 0, MaxTokens = 128 };
        await foreach (var step in engine.Submit(request with { Sampling = sampling }, cancel)[0].Events(cancel))
        {
            if (step.Token is not null && seen.firstToken == default) seen.firstToken = DateTime.UtcNow;
        }
        return seen;
    }

    /// <summary>Tokens a second of a step, counted from 1; 0 where there was none.</summary>
    public double Speed(int step) => step <= steps.Count ? 1 / steps[step - 1].Time.TotalSeconds : 0;

    /// <summary>Tokens a second of all steps behind the first.</summary>
    public double ReplySpeed => steps.Count < 2 ? 0 : (steps.Count - 1) / steps.Skip(1).Sum(step => step.Time.TotalSeconds);

    /// <inheritdoc/>
    public override void StepEnded(in StepReport step) => steps.Add((step.Time, (int)JitInfo.GetCompiledMethodCount(currentThread: true)));
}
