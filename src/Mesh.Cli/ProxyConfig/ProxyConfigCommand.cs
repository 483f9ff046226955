using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Google.Protobuf;
using Mesh.Cli.Logs;
using Mesh.Cli.Output;
using Mesh.Cli.Servers;

namespace Mesh.Cli.ProxyConfig;

/// <summary><c>meshctl proxy-config</c>: what a proxy has, kind by kind.</summary>
internal sealed class ProxyConfigCommand(CommonOptions common, CliEnvironment environment)
{
    private readonly Option<string?> _address = new("--address") { Description = "Of this address", HelpName = "ip" };
    private readonly Option<int?> _port = new("--port") { Description = "Of this port", HelpName = "port" };
    private readonly Option<string?> _name = new("--name") { Description = "Of this name", HelpName = "name" };
    private readonly Option<string?> _fqdn = new("--fqdn") { Description = "Of this host: its full name, or what it begins with", HelpName = "host" };
    private readonly Option<string?> _subset = new("--subset") { Description = "Of this subset", HelpName = "subset" };
    private readonly Option<string?> _direction = new("--direction") { Description = "inbound or outbound", HelpName = "direction" };
    private readonly Option<string?> _cluster = new("--cluster") { Description = "Of this cluster: its full name", HelpName = "name" };
    private readonly Option<string?> _status = new("--status") { Description = "healthy or unhealthy", HelpName = "status" };
    private readonly Option<string?> _type = new("--type") { Description = "Of this type: http, tcp, eds, strict_dns …", HelpName = "type" };

    public Command Create()
    {
        var command = new Command("proxy-config", "What a proxy has: listeners, routes, clusters, endpoints, secrets, what it was started with, its log levels") { Aliases = { "pc" } };
        command.Add(Of("listener", ["listeners", "l"], "What arrives where, and goes where", [_address, _port, _type], ListenersAsync));
        command.Add(Of("route", ["routes", "r"], "Which requests go by which rule", [_name], RoutesAsync));
        command.Add(Of("cluster", ["clusters", "c"], "Who can be called", [_fqdn, _port, _subset, _direction], ClustersAsync));
        command.Add(Of("endpoint", ["endpoints", "ep"], "Where requests end up", [_address, _port, _cluster, _status], EndpointsAsync));
        command.Add(Of("secret", ["secrets", "s"], "Certificates and authorities, and until when they are good", [], SecretsAsync));
        command.Add(Of("bootstrap", ["b"], "What the proxy was started with", [], BootstrapAsync));
        command.Add(Of("all", ["a"], "All of these", [], AllAsync));
        command.Add(new LogLevelCommand(common, environment).Create("log", ["o"], "Its log levels, and changes them"));
        return command;
    }

    private Command Of(string name, string[] aliases, string description, Option[] filters, Func<ProxyState, ParseResult, OutputFormat, CancellationToken, Task> write)
    {
        var proxy = CommonOptions.NoOption(new Argument<string?>("proxy") { Description = "name.namespace as proxy-status has it, a workload, or deploy/name", Arity = ArgumentArity.ZeroOrOne });
        var command = new Command(name, description) { proxy, common.Output };
        foreach (var alias in aliases)
        {
            command.Aliases.Add(alias);
        }

        foreach (var filter in filters)
        {
            command.Add(filter);
        }

        command.SetAction((arguments, cancellationToken) => CommandRunner.RunAsync(environment, async () =>
        {
            using var controlPlane = ControlPlaneServer.Of(arguments, common, environment);
            using var state = await ProxyState.LoadAsync(new ProxyLocator(arguments, common, environment), arguments.GetValue(proxy), controlPlane, environment, cancellationToken);
            await write(state, arguments, arguments.GetValue(common.Output), cancellationToken);
        }));
        return command;
    }

    private Task ListenersAsync(ProxyState state, ParseResult arguments, OutputFormat format, CancellationToken cancellationToken)
    {
        var (address, port, type) = (arguments.GetValue(_address), arguments.GetValue(_port), arguments.GetValue(_type));
        var found = state.Dump.Listeners
            .Where(listener => (address is null || ListenerTable.AddressOf(listener) == address || listener.Name == address)
                && (port is null || ListenerTable.PortOf(listener) == port)
                && (type is null || IsOf(listener, type)))
            .ToArray();
        Write(format, found, ListenerTable.Of);
        return Task.CompletedTask;
    }

    private Task RoutesAsync(ProxyState state, ParseResult arguments, OutputFormat format, CancellationToken cancellationToken)
    {
        var name = arguments.GetValue(_name);

        // As on a sidecar "9080" is the routes of the port: here each host has its own, and the port is in the name.
        var found = state.Dump.Routes
            .Where(routes => name is null || routes.Name == name || ClusterName.Parse(routes.Name).Port.ToString(CultureInfo.InvariantCulture) == name)
            .ToArray();
        Write(format, found, RouteTable.Of);
        return Task.CompletedTask;
    }

    private Task ClustersAsync(ProxyState state, ParseResult arguments, OutputFormat format, CancellationToken cancellationToken)
    {
        var (host, port, subset, direction) = (arguments.GetValue(_fqdn), arguments.GetValue(_port), arguments.GetValue(_subset), arguments.GetValue(_direction));
        bool IsWanted(Cluster cluster)
        {
            var name = ClusterName.Parse(cluster.Name);
            return (host is null || name.Host == host || name.Host.StartsWith(host + ".", StringComparison.Ordinal))
                && (port is null || name.Port == port)
                && (subset is null || name.Subset == subset)
                && (direction is null || string.Equals(name.Direction, direction, StringComparison.OrdinalIgnoreCase));
        }

        Write(format, state.Dump.Clusters.Where(IsWanted).ToArray(), ClusterTable.Of);
        return Task.CompletedTask;
    }

    private async Task EndpointsAsync(ProxyState state, ParseResult arguments, OutputFormat format, CancellationToken cancellationToken)
    {
        var (address, port, cluster, status) = (arguments.GetValue(_address), arguments.GetValue(_port), arguments.GetValue(_cluster), arguments.GetValue(_status));
        var rows = (await state.EndpointsAsync(cancellationToken))
            .Where(row => (address is null || row.Address == address)
                && (port is null || row.Port == port)
                && (cluster is null || row.Cluster == cluster)
                && (status is null || string.Equals(row.Status, status, StringComparison.OrdinalIgnoreCase)))
            .ToArray();
        if (format is OutputFormat.Json or OutputFormat.Yaml)
        {
            Documents.Write(environment, format, new JsonArray([.. rows.Select(row => new JsonObject
            {
                ["endpoint"] = row.Endpoint,
                ["status"] = row.Status,
                ["outlierCheck"] = row.OutlierCheck.Length > 0 ? row.OutlierCheck : null,
                ["cluster"] = row.Cluster,
            })]));
            return;
        }

        EndpointTable.Of(rows).Write(environment);
    }

    private async Task SecretsAsync(ProxyState state, ParseResult arguments, OutputFormat format, CancellationToken cancellationToken)
    {
        var certs = state.Admin is null ? null : await state.Admin.GetAsync("certs?format=json", cancellationToken);
        if (format is OutputFormat.Json or OutputFormat.Yaml)
        {
            Documents.Write(environment, format, certs ?? ConfigDump.ToJson(state.Dump.Secrets));
            return;
        }

        var now = environment.Time.GetUtcNow();
        (certs is null ? SecretTable.Of(state.Dump.Secrets, now) : SecretTable.Of(certs, now)).Write(environment);
    }

    private async Task BootstrapAsync(ProxyState state, ParseResult arguments, OutputFormat format, CancellationToken cancellationToken)
        => Documents.Write(environment, format, await state.BootstrapAsync(cancellationToken));

    private async Task AllAsync(ProxyState state, ParseResult arguments, OutputFormat format, CancellationToken cancellationToken)
    {
        var dump = state.Dump;
        if (format is OutputFormat.Json or OutputFormat.Yaml)
        {
            Documents.Write(environment, format, new JsonObject
            {
                ["listeners"] = ConfigDump.ToJson(dump.Listeners),
                ["routes"] = ConfigDump.ToJson(dump.Routes),
                ["clusters"] = ConfigDump.ToJson(dump.Clusters),
                ["endpoints"] = ConfigDump.ToJson(dump.Endpoints),
                ["secrets"] = ConfigDump.ToJson(dump.Secrets),
            });
            return;
        }

        Write(format, dump.Listeners, ListenerTable.Of);
        environment.Out.WriteLine();
        Write(format, dump.Routes, RouteTable.Of);
        environment.Out.WriteLine();
        Write(format, dump.Clusters, ClusterTable.Of);
        environment.Out.WriteLine();
        EndpointTable.Of(await state.EndpointsAsync(cancellationToken)).Write(environment);
        environment.Out.WriteLine();
        await SecretsAsync(state, arguments, format, cancellationToken);
    }

    private void Write<T>(OutputFormat format, IReadOnlyCollection<T> resources, Func<IEnumerable<T>, Table> table)
        where T : IMessage
    {
        if (format is OutputFormat.Json or OutputFormat.Yaml)
        {
            Documents.Write(environment, format, ConfigDump.ToJson(resources.Cast<IMessage>()));
        }
        else
        {
            table(resources).Write(environment);
        }
    }

    private static bool IsOf(Listener listener, string type)
    {
        var isHttp = listener.ApiListener is not null
            || listener.FilterChains.Any(chain => chain.Filters.Any(filter => filter.TypedConfig?.TypeUrl.EndsWith("HttpConnectionManager", StringComparison.Ordinal) == true));
        return type.ToUpperInvariant() switch { "HTTP" => isHttp, "TCP" => !isHttp, _ => false };
    }
}
