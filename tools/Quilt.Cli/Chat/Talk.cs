using System.Text.Json;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Cli.Chat;

/// <summary>A conversation with an engine, in the terminal or for a pipe.</summary>
internal sealed class Talk(Engine engine, SamplingOptions options, string? system, JsonElement? tools, bool thinking, StructuredOutput? form)
{
    private readonly bool terminal = !Console.IsOutputRedirected;
    private Conversation conversation = new();

    /// <summary>One question, one answer.</summary>
    public async Task AskAsync(string question, CancellationToken cancel)
    {
        Begin();
        conversation.Add("user", question);
        await AnswerAsync(cancel);
        cancel.ThrowIfCancellationRequested();
    }

    /// <summary>Questions from standard input until it ends; Ctrl-C stops an answer, /reset forgets, /exit ends.</summary>
    public async Task LoopAsync(CancellationToken cancel)
    {
        Begin();
        if (!Console.IsInputRedirected) Console.Error.WriteLine("/reset forgets the conversation, /exit ends it, Ctrl-C stops an answer.");
        var calls = 0;
        while (!cancel.IsCancellationRequested)
        {
            if (!Console.IsInputRedirected) Console.Error.Write(calls > 0 ? "result> " : "> ");
            if (await ReadLineAsync(cancel) is not { } line || line == "/exit") return;
            if (line.Length == 0) continue;
            if (line == "/reset")
            {
                Begin();
                calls = 0;
                continue;
            }
            // What follows a tool call is its result.
            var before = conversation.Messages.Count;
            conversation.Add(calls > 0 ? "tool" : "user", line);
            if (--calls > 0) continue;

            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            using (Interrupt.Only(stop)) calls = await TryAnswerAsync(before, stop.Token);
            if (stop.IsCancellationRequested) Console.Error.WriteLine("(stopped)");
        }
        cancel.ThrowIfCancellationRequested();
    }

    private void Begin()
    {
        conversation = new Conversation { Tools = tools };
        if (system is not null) conversation.Add("system", system);
    }

    /// <summary>A question that the model cannot take is forgotten again; the conversation goes on.</summary>
    private async Task<int> TryAnswerAsync(int before, CancellationToken cancel)
    {
        try
        {
            return await AnswerAsync(cancel);
        }
        catch (Formats.BadInputException refused)
        {
            Failures.Print(refused.Message);
            conversation.Truncate(before);
            return 0;
        }
    }

    /// <summary>Prints the model's answer and adds it to the conversation; returns how many calls wait for a result.</summary>
    private async Task<int> AnswerAsync(CancellationToken cancel)
    {
        var printer = new ReplyPrinter(terminal, thinking);
        var dropped = new List<ToolCallDropped>();
        var generation = engine.Submit(new GenerationRequest { Conversation = conversation, Sampling = options, Output = form }, cancel)[0];
        // Cancelling ends the generation, and with it this stream; what was said until then stays in the conversation.
        await foreach (var part in generation.Replies(CancellationToken.None))
        {
            switch (part)
            {
                case ThinkingText thought: printer.Think(thought.Text); break;
                case ReplyText said: printer.Say(said.Text); break;
                case ToolCallEnded call: printer.Call(call.Name, call.Arguments); break;
                case ToolCallDropped call: dropped.Add(call); break;
                default: break;
            }
        }
        printer.End();
        foreach (var call in dropped) Failures.Print($"a call is left out: {Why(call)}");
        conversation.Add(printer.Message());
        if (!cancel.IsCancellationRequested) Timings.Print(generation.Stats);
        return printer.Calls.Count;
    }

    private static string Why(ToolCallDropped call) => call.Reason switch
    {
        DropReason.UndeclaredTool => $"there is no tool '{call.Name.ReplaceLineEndings(" ")}'",
        DropReason.AmbiguousTool => $"several tools could be meant by '{call.Name.ReplaceLineEndings(" ")}'",
        DropReason.NoName => "it names no tool",
        _ => "the reply ended before its tool's name did",
    };

    // Reading the console cannot be cancelled; the thread that waits for it ends with the process.
    private static Task<string?> ReadLineAsync(CancellationToken cancel) => Task.Run(Console.In.ReadLine, CancellationToken.None).WaitAsync(cancel);
}
