using System.CommandLine;
using System.Net;

namespace Quilt.Cli.Serve;

/// <summary>Where the server listens: this machine alone unless told otherwise, and elsewhere only with keys.</summary>
internal sealed class Listening
{
    private readonly Option<string?> host = new("--host") { Description = "Address to listen on; 127.0.0.1.", HelpName = "ADDRESS" };
    private readonly Option<int?> port = TypedOption.Whole("--port", "Port; 0: a free one; 8000.");
    private readonly Option<string?> socket = new("--uds") { Description = "A Unix socket in the place of address and port.", HelpName = "PATH" };
    private readonly Option<string?> certificate = new("--ssl-certfile") { Description = "Certificate for TLS, PEM.", HelpName = "FILE" };
    private readonly Option<string?> key =
        new("--ssl-keyfile") { Description = "Its key, PEM; where it is not in the same file.", HelpName = "FILE" };
    private readonly Option<string?> keyPassword = new("--ssl-keyfile-password") { Description = "The key's password.", HelpName = "TEXT" };
    private readonly Option<string?> root = new("--root-path") { Description = "What paths begin with behind a proxy.", HelpName = "PATH" };
    private readonly Option<bool> insecure = new("--insecure") { Description = "Listen on other addresses without a key." };

    /// <summary>Adds all of them.</summary>
    public Listening AddTo(Command command)
    {
        Option[] all = [host, port, socket, certificate, key, keyPassword, root, insecure];
        foreach (var option in all) command.Options.Add(option);
        return this;
    }

    /// <summary>What was asked for.</summary>
    /// <exception cref="UsageException">It is no address, or others could use it without a key.</exception>
    public ServeAddress Read(ParseResult parsed, bool hasKeys)
    {
        var number = parsed.GetValue(port) ?? 8000;
        if (number is < 0 or > 65535) throw new UsageException($"--port: expected 0 to 65535, found {number}");
        var name = parsed.GetValue(host) ?? "127.0.0.1";
        var address = name switch
        {
            "localhost" => IPAddress.Loopback,
            "" or "*" => IPAddress.Any,
            _ =>
                IPAddress.TryParse(name.Trim('[', ']'), out var ip)
                    ? ip
                    : throw new UsageException($"--host: expected an IP address, found '{name}'"),
        };
        if (!IPAddress.IsLoopback(address) && parsed.GetValue(socket) is null && !hasKeys && !parsed.GetValue(insecure))
        {
            throw new UsageException(
                $"--host: expected --api-key (or QUILT_API_KEY) beside an address that others reach, found {name} without one; " +
                "--insecure serves everybody");
        }
        var path = parsed.GetValue(root) ?? "";
        if (path.Length > 0 && path[0] != '/') throw new UsageException($"--root-path: expected a path that begins with /, found '{path}'");
        foreach (var option in new[] { certificate, key })
        {
            if (parsed.GetValue(option) is { } file && !File.Exists(file)) throw new UsageException($"{option.Name}: {file}: no such file");
        }
        if (parsed.GetValue(key) is not null && parsed.GetValue(certificate) is null)
            throw new UsageException("--ssl-keyfile: expected --ssl-certfile beside it, found none");
        return new(address, number, parsed.GetValue(socket), parsed.GetValue(certificate), parsed.GetValue(key), parsed.GetValue(keyPassword),
            path.TrimEnd('/'))
        {
            ServesEverybody = !IPAddress.IsLoopback(address) && !hasKeys,
        };
    }
}

/// <summary>Where a server listens.</summary>
internal sealed record ServeAddress(
    IPAddress Address, int Port, string? Socket, string? Certificate, string? Key, string? KeyPassword, string RootPath)
{
    /// <summary>Whether others reach it and need no key.</summary>
    public bool ServesEverybody { get; init; }
}
