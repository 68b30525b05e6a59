using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;

// Quilt.Samples.Console [QUESTION] [MODEL FOLDER]
var question = args.ElementAtOrDefault(0) ?? "What is the capital of France?";
var folder = args.ElementAtOrDefault(1) ?? Path.Combine(AppContext.BaseDirectory, "Demo");

await using var engine = await Engine.OpenAsync(folder);
var generation = engine.Chat(new Conversation().Add("user", question), engine.DefaultSampling with { Temperature = 0, MaxTokens = 500 });
await foreach (var part in generation.Replies())
{
    if (part is ThinkingText thought) Console.Error.Write(thought.Text);
    if (part is ReplyText said) Console.Write(said.Text);
}
Console.WriteLine();
var stats = generation.Stats;
Console.Error.WriteLine($"{stats.GeneratedTokens} tokens, {stats.GeneratedTokensPerSecond:0} a second, {generation.FinishReason}");
