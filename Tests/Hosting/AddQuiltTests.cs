using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting;

/// <summary>Quilt in a host: what is registered, when it is there, and what is refused at start.</summary>
public sealed class AddQuiltTests
{
    [Test]
    public async Task A_host_has_a_chat_client_and_once_it_has_started_an_engine()
    {
        using var host = Host(services => services.AddQuilt(o =>
        {
            o.Model = DemoHost.Folder;
            o.ModelNames.Add("demo");
            o.Models["other"] = DemoHost.Folder;
            o.Engine = new() { Threads = 1 };
            o.KvMemory = "8 MiB";
        }));
        Assert.That(() => host.Services.GetRequiredService<Engine>(), Throws.InvalidOperationException.With.Message.Contain("starts"));
        await host.StartAsync();
        var engine = host.Services.GetRequiredService<Engine>();
        Assert.That(engine.Memory.Cache, Is.InRange(1, 8 << 20));
        var chat = host.Services.GetRequiredService<IChatClient>();
        Assert.That(chat, Is.SameAs(host.Services.GetRequiredService<QuiltChatClient>()));
        Assert.That(chat.GetService<Engine>(), Is.SameAs(engine));
        var greedy = new ChatOptions { Temperature = 0, MaxOutputTokens = 100 };
        Assert.That((await chat.GetResponseAsync("Add 34 and 9.", greedy)).Text, Is.EqualTo("34 + 9 = 43"));
        var other = host.Services.GetRequiredKeyedService<IChatClient>("other");
        Assert.That(other.GetService<Engine>(), Is.Null, "It is loaded when it is asked.");
        Assert.That((await other.GetResponseAsync("Add 34 and 9.", greedy)).ModelId, Is.EqualTo("other"));
        Assert.That(other.GetService<Engine>(), Is.Not.Null.And.Not.SameAs(engine));
        Assert.That((await chat.GetResponseAsync("Add 34 and 9.", new ChatOptions { ModelId = "other", MaxOutputTokens = 1 })).ModelId,
            Is.EqualTo("other"));
        Assert.That(() => host.Services.GetRequiredKeyedService<IChatClient>("third"),
            Throws.InvalidOperationException.With.Message.Contain("demo, other"));
        await host.StopAsync();
        host.Dispose();
        Assert.That(() => engine.Generate("x"), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Functions_are_carried_out_where_the_host_says_so()
    {
        using var host = Host(services =>
        {
            services.AddQuilt(o => (o.Model, o.Engine) = (DemoHost.Folder, new() { Threads = 1 }));
            services.AddChatClient(provider => provider.GetRequiredService<QuiltChatClient>()).UseFunctionInvocation();
        });
        var chat = host.Services.GetRequiredService<IChatClient>();
        Assert.That(chat.GetService<FunctionInvokingChatClient>(), Is.Not.Null);
        Assert.That(chat.GetService<QuiltChatClient>(), Is.Not.Null);
        await host.StartAsync();
        Assert.That(chat.GetService<Engine>(), Is.SameAs(host.Services.GetRequiredService<Engine>()));
    }

    [Test]
    public async Task Configuration_says_the_same()
    {
        using var host = Host(services => services.AddQuilt(Configuration("""
            { "Model": "FOLDER", "ModelNames": ["one", "two"], "Models": { "three": "FOLDER" }, "KvMemory": "8 MiB", "ModelMemory": "1 GiB",
              "IdleTime": "00:05:00", "Engine": { "Threads": 1, "MaxSequences": 3, "StepTime": "00:00:00.1" }, "Sampling": { "Temperature": 0.5 } }
            """)));
        var options = host.Services.GetRequiredService<IOptions<QuiltOptions>>().Value;
        Assert.That((options.Model, options.KvMemory, options.ModelMemory), Is.EqualTo((DemoHost.Folder, "8 MiB", "1 GiB")));
        Assert.That(options.ModelNames, Is.EqualTo(["one", "two"]));
        Assert.That(options.Models, Is.EqualTo(new Dictionary<string, string> { ["three"] = DemoHost.Folder }));
        Assert.That(options.IdleTime, Is.EqualTo(TimeSpan.FromMinutes(5)));
        Assert.That(options.EngineOptions, Is.EqualTo(new EngineOptions
        {
            Threads = 1, MaxSequences = 3, StepTime = TimeSpan.FromSeconds(0.1), KvMemory = 8 << 20,
        }));
        Assert.That(options.Sampling.Temperature, Is.EqualTo(0.5));
        await host.StartAsync();
        Assert.That(host.Services.GetRequiredService<IChatClient>().GetService<ChatClientMetadata>()!.DefaultModelId, Is.EqualTo("one"));
    }

    [Test]
    public void Configuration_with_a_name_that_there_is_not_is_refused()
    {
        using var host = Host(services => services.AddQuilt(Configuration("""{ "Model": "FOLDER", "KvMemmory": "8 MiB" }""")));
        Assert.That(() => host.StartAsync(), Throws.Exception.With.Message.Contain("KvMemmory"));
    }

    [Test]
    public async Task Twice_is_as_once()
    {
        using var host = Host(services => services
            .AddQuilt(o => (o.Model, o.Engine) = (DemoHost.Folder, new() { Threads = 1 }))
            .AddQuilt(o => o.ModelNames.Add("demo"))
            .AddQuiltServer(o => o.ApiKeys.Add("k1")));
        Assert.That(host.Services.GetServices<IChatClient>().Count(), Is.EqualTo(1));
        Assert.That(host.Services.GetServices<ServedModels>().Count(), Is.EqualTo(1));
        Assert.That(host.Services.GetServices<IHostedService>().Count(one => one is ModelLoading), Is.EqualTo(1));
        Assert.That(host.Services.GetServices<IValidateOptions<QuiltOptions>>().Count(one => one is QuiltOptionsChecks), Is.EqualTo(1));
        await host.StartAsync();
        Assert.That(host.Services.GetRequiredService<ServedModels>().All.Single().Name, Is.EqualTo("demo"));
        Assert.That(host.Services.GetRequiredService<IOptions<QuiltServerOptions>>().Value.ApiKeys, Is.EqualTo(["k1"]));
    }

    [Test]
    public async Task A_host_of_models_on_demand_starts_with_none_and_has_no_engine()
    {
        using var host = Host(services => services.AddQuilt(o =>
        {
            o.Models["a"] = DemoHost.Folder;
            o.Engine = new() { Threads = 1 };
        }));
        await host.StartAsync();
        Assert.That(host.Services.GetRequiredService<ServedModels>().All.Single().Engine, Is.Null);
        Assert.That(() => host.Services.GetRequiredService<Engine>(), Throws.InvalidOperationException);
        var response = await host.Services.GetRequiredService<IChatClient>().GetResponseAsync("Hello", new ChatOptions { MaxOutputTokens = 2 });
        Assert.That(response.ModelId, Is.EqualTo("a"));
    }

    [TestCaseSource(nameof(Faults))]
    public async Task What_is_wrong_is_said_at_start(string named, Action<QuiltOptions> wrong)
    {
        using var host = Host(services => services.AddQuilt(o =>
        {
            o.Model = DemoHost.Folder;
            wrong(o);
        }));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.That(error!.Message, Does.Contain(named));
        Assert.That(host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested, Is.False);
    }

    private static IEnumerable<TestCaseData> Faults()
    {
        var missing = Path.Combine(Path.GetTempPath(), "quilt-no-such-folder");
        yield return Case("at least one model", o => o.Model = null);
        yield return Case("Model: expected a checkpoint folder", o => o.Model = missing);
        yield return Case("Model: expected a checkpoint folder", o => o.Model = " ");
        yield return Case("config.json", o => o.Model = AppContext.BaseDirectory);
        yield return Case("Models[x]", o => o.Models["x"] = missing);
        yield return Case("found an empty one", o => o.ModelNames.Add(""));
        yield return Case("'a' 2 times", o => { o.ModelNames.Add("a"); o.ModelNames.Add("a"); });
        yield return Case("'a' 2 times", o => { o.ModelNames.Add("a"); o.Models["a"] = DemoHost.Folder; });
        yield return Case("ModelNames", o => { o.Model = null; o.Models["b"] = DemoHost.Folder; o.ModelNames.Add("a"); });
        yield return Case("KvMemory", o => o.KvMemory = "much");
        yield return Case("KvMemory", o => o.KvMemory = "-1 GiB");
        yield return Case("ModelMemory", o => o.ModelMemory = "1 apple");
        yield return Case("Device", o => o.Device = "abacus");
        yield return Case("MaxSequences", o => o.Engine = new() { MaxSequences = 0 });
        yield return Case("Sampling.Temperature", o => o.Sampling.Temperature = -1);
        yield return Case("IdleTime", o => o.IdleTime = TimeSpan.Zero);
        yield return Case("GenerationConfigFolder", o => o.GenerationConfigFolder = missing);

        static TestCaseData Case(string named, Action<QuiltOptions> wrong) => new TestCaseData(named, wrong).SetArgDisplayNames(named);
    }

    [Test]
    public async Task Wrong_options_of_the_server_are_said_at_start_without_keys()
    {
        using var host = Host(services => services.AddQuilt(o => o.Model = DemoHost.Folder).AddQuiltServer(o =>
        {
            o.ApiKeys.Add("hidden");
            o.ApiKeys.Add("");
            o.MaxDepth = 0;
        }));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.That(error!.Message, Does.Contain("ApiKeys").And.Contain("MaxDepth").And.Not.Contain("hidden"));
    }

    private static IHost Host(Action<IServiceCollection> configure)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        configure(builder.Services);
        return builder.Build();
    }

    private static IConfigurationSection Configuration(string json)
    {
        var escaped = System.Text.Json.JsonEncodedText.Encode(DemoHost.Folder).ToString();
        var text = $$"""{ "Quilt": {{json.Replace("FOLDER", escaped, StringComparison.Ordinal)}} }""";
        return new ConfigurationBuilder().AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text))).Build().GetSection("Quilt");
    }
}
