using System.CommandLine;
using Microsoft.Extensions.Options;
using Quilt.Kernels.Devices;
using Quilt.Runtime;

namespace Quilt.Cli;

/// <summary>Wrong usage that only shows once a verb looks at its options: exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>From an exception to one line on standard error and an exit code.</summary>
internal static class Failures
{
    /// <summary>Asks for the stack trace.</summary>
    public static Option<bool> Debug { get; } = new("--debug") { Description = "On failure, print the stack trace too.", Recursive = true };

    /// <summary>Prints what happened: 1 failed, 2 wrong usage, 130 stopped by the user.</summary>
    public static int Report(Exception failure, bool debug)
    {
        if (failure is AggregateException { InnerExceptions: [var only] }) failure = only;
        if (failure is EngineFailedException { InnerException: { } cause }) failure = cause;
        if (failure is OperationCanceledException)
        {
            Print("stopped");
            return 130;
        }
        Print(failure switch
        {
            OutOfMemoryException => "not enough memory",
            Formats.BadInputException or UsageException or IOException or UnauthorizedAccessException or PlatformNotSupportedException
                or NotSupportedException or OptionsValidationException => failure.Message,
            _ => GpuDevices.Explain(failure) ?? $"{failure.GetType().Name}: {failure.Message}",
        });
        if (debug) Console.Error.WriteLine(failure);
        return failure is UsageException ? 2 : 1;
    }

    /// <summary>One line, whatever the message holds.</summary>
    public static void Print(string message) => Console.Error.WriteLine($"quilt: {message.ReplaceLineEndings(" ")}");
}
