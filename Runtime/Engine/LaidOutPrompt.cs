namespace Quilt.Runtime;

/// <summary>A prompt as the engine reads it.</summary>
/// <param name="Ids">Its tokens.</param>
/// <param name="Text">Its text; null where it came as tokens.</param>
internal sealed record LaidOutPrompt(int[] Ids, string? Text);

/// <summary>The beginning of a reply that another engine has made: a sequence that goes on from it chooses as that one would have.</summary>
/// <param name="Tokens">Its tokens; none of them ended it.</param>
/// <param name="Random">Where the random numbers stand behind them (<see cref="GenerationEvent.Random"/>).</param>
internal sealed record BegunReply(int[] Tokens, ulong Random);
