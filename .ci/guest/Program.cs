using System.IO.Compression;
using System.Xml.Linq;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Quilt.Hosting;
using Quilt.Runtime;

// Guest FEED MODEL: looks into the packages, then uses them. A line for each check.
var (feed, model) = (args[0], args[1]);
var libraries = new[] { "Quilt.Formats", "Quilt.Kernels", "Quilt.Runtime", "Quilt.Hosting" };
foreach (var name in libraries.Append("Quilt.Cli"))
{
    var file = Directory.GetFiles(feed, $"{name}.*.nupkg").Single();
    using var package = ZipFile.OpenRead(file);
    using var spec = package.Entries.Single(entry => entry.FullName == $"{name}.nuspec").Open();
    var metadata = XDocument.Load(spec).Root!.Elements().First();
    string? Say(string what) => metadata.Elements().FirstOrDefault(one => one.Name.LocalName == what)?.Value;
    Check($"{name}: its id", Say("id"), name);
    Check($"{name}: its licence", Say("license"), "MIT");
    Check($"{name}: its README", Say("readme") is { } readme && package.GetEntry(readme) is { Length: > 500 }, true);
    Check($"{name}: it says what it is", Say("description") is { Length: > 20 } text && text != "Package Description", true);
    Check($"{name}: no repository", metadata.Elements().Any(one => one.Name.LocalName is "repository" or "projectUrl"), false);
    Check($"{name}: symbols", File.Exists(Path.ChangeExtension(file, ".snupkg")), true);
    if (libraries.Contains(name)) Check($"{name}: its documentation", package.GetEntry($"lib/net10.0/{name}.xml") is { Length: > 1000 }, true);
}

await using (var engine = await Engine.OpenAsync(model))
{
    var text = await engine.Chat(new Quilt.Formats.Chat.Conversation().Add("user", "Add 34 and 9."), new() { Temperature = 0 }).ReadToEndAsync();
    Check("an engine answers", text.Trim(), "34 + 9 = 43");
}

var builder = Host.CreateApplicationBuilder();
builder.Services.AddQuilt(o => o.Model = model);
using var host = builder.Build();
await host.StartAsync();
var response = await host.Services.GetRequiredService<IChatClient>().GetResponseAsync("What is the capital of France?", new() { Temperature = 0 });
Check("a host's chat client answers", response.Text, "The capital of France is Paris.");
await host.StopAsync();

static void Check(string what, object? found, object? expected) =>
    Console.WriteLine(Equals(found, expected) ? $"ok: {what}" : $"failed: {what}: expected {expected ?? "none"}, found {found ?? "none"}");
