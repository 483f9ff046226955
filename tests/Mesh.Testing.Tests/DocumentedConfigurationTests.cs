using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.Testing.Tests;

/// <summary>Whoever copies a rule from a page has one that works: every block of YAML is loaded, and no client finds fault with what it becomes.</summary>
public sealed class DocumentedConfigurationTests
{
    private static readonly string[] Services = ["productpage", "details", "reviews", "ratings"];

    public static TheoryData<string, int> YamlBlocks() => Pages.Blocks("yaml");

    public static TheoryData<string> Examples()
        => [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "mesh-examples"), "*.yaml").Select(file => Path.GetFileName(file))];

    public static TheoryData<string, int> JsonBlocks() => Pages.Blocks("json");

    [Theory]
    [MemberData(nameof(YamlBlocks))]
    public Task Shows_only_rules_that_load_without_a_word(string page, int line) => LoadAsync(Pages.BlockAt(page, line), $"{page}:{line}");

    [Theory]
    [MemberData(nameof(Examples))]
    public Task Has_samples_that_load_without_a_word(string file)
        => LoadAsync(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "mesh-examples", file)), file);

    private static async Task LoadAsync(string yaml, string place)
    {
        var warnings = new WarningLog();
        await using var mesh = await MeshTestHost.StartAsync(Pages.Bookinfo(), options => options.LoggerFactory = warnings);
        foreach (var service in Services)
        {
            foreach (var version in (string[])["v1", "v2", "v3"])
            {
                mesh.AddEndpoint(service, version, _ => new HttpResponseMessage());
            }

            // From here on a client follows the host, and says so when it refuses what it is sent.
            using var client = mesh.CreateClient($"http://{service}:9080");
            using var response = await client.GetAsync("/");
        }

        mesh.Apply(yaml);
        await mesh.SettledAsync();

        mesh.Diagnostics.ShouldBeEmpty(place);
        warnings.ShouldBeEmpty(place);
    }

    [Theory]
    [MemberData(nameof(JsonBlocks))]
    public void Shows_only_resources_that_decode_without_a_note(string page, int line)
    {
        var resource = new JsonParser(JsonParser.Settings.Default.WithTypeRegistry(Types)).Parse<Any>(Pages.BlockAt(page, line));

        Notes(resource).ShouldBeEmpty($"{page}:{line}");
    }

    [Fact]
    public void Has_found_the_pages()
    {
        YamlBlocks().Count.ShouldBeGreaterThan(20);
        JsonBlocks().Count.ShouldBeGreaterThan(0);
    }

    private static IReadOnlyList<string> Notes(Any resource)
    {
        ResourceType[] types = [ClusterType.Instance, RouteConfigurationType.Instance, ListenerType.Instance];
        return ((Resource)types.Single(type => type.TypeUrl == resource.TypeUrl).Decode(resource.Value, out _)).Notes;
    }

    // Every generated message, so that what is packed inside is found as well.
    private static TypeRegistry Types { get; } = TypeRegistry.FromMessages(
        typeof(Envoy.Config.Cluster.V3.Cluster).Assembly.GetTypes()
            .Where(t => typeof(IMessage).IsAssignableFrom(t) && !t.IsAbstract)
            .Select(t => ((IMessage)Activator.CreateInstance(t, nonPublic: true)!).Descriptor));

    /// <summary>What control plane and clients warn of.</summary>
    private sealed class WarningLog : List<string>, ILoggerFactory, ILogger
    {
        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                lock (this)
                {
                    Add(formatter(state, exception));
                }
            }
        }

        public void Dispose()
        {
        }
    }
}
