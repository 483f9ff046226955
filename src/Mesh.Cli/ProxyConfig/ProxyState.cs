using System.Text.Json.Nodes;
using Mesh.Cli.Servers;

namespace Mesh.Cli.ProxyConfig;

/// <summary>What is known of a proxy: from itself, where it can be asked, else from its control plane.</summary>
/// <param name="Dump">Its configuration.</param>
/// <param name="Admin">Itself; <see langword="null"/>: it cannot be asked from here.</param>
internal sealed record ProxyState(ConfigDump Dump, ProxyAdmin? Admin) : IDisposable
{
    /// <exception cref="CommandException">There is no such proxy.</exception>
    public static async Task<ProxyState> LoadAsync(ProxyLocator locator, string? name, ControlPlaneServer controlPlane, CliEnvironment environment, CancellationToken cancellationToken)
    {
        var admin = await locator.FindAdminAsync(name, controlPlane, cancellationToken).ConfigureAwait(false);
        try
        {
            var json = admin is not null
                ? await admin.GetAsync("config_dump?include_eds", cancellationToken).ConfigureAwait(false)
                : await controlPlane.ReadAsync("config_dump", cancellationToken, ("proxyID", locator.Required(name))).ConfigureAwait(false);
            var dump = ConfigDump.Of(json);
            foreach (var problem in dump.Unreadable)
            {
                environment.Error.WriteLine($"warning: {Mesh.Xds.Validation.PrintableText.Of(problem)}");
            }

            return new ProxyState(dump, admin);
        }
        catch
        {
            admin?.Dispose();
            throw;
        }
    }

    public async Task<IReadOnlyList<EndpointRow>> EndpointsAsync(CancellationToken cancellationToken)
        => Admin is null
            ? [.. Dump.Endpoints.SelectMany(EndpointRow.Of)]
            : [.. EndpointRow.Of(await Admin.GetAsync("clusters?format=json", cancellationToken).ConfigureAwait(false))];

    public async Task<JsonNode> BootstrapAsync(CancellationToken cancellationToken)
        => Dump.Bootstrap ?? (Admin is null
            ? throw new CommandException("what the proxy was started with is not known here; ask it itself with --admin http://host:port")
            : await Admin.GetAsync("bootstrap", cancellationToken).ConfigureAwait(false));

    public void Dispose() => Admin?.Dispose();
}
