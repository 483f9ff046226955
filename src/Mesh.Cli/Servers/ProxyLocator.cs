using System.CommandLine;

namespace Mesh.Cli.Servers;

/// <summary>Finds a proxy: its own admin where it can be reached from here, and what its control plane knows of it.</summary>
internal sealed class ProxyLocator(ParseResult arguments, CommonOptions options, CliEnvironment environment)
{
    /// <summary>Asks the process itself.</summary>
    /// <param name="name">The proxy's name; <see langword="null"/>: <c>--admin</c> says where it is.</param>
    /// <param name="controlPlane">Who knows where it is.</param>
    /// <param name="cancellationToken">Ends waiting.</param>
    /// <returns><see langword="null"/>: it has no admin, or none that can be reached from here.</returns>
    /// <exception cref="CommandException">There is no such proxy, or nothing says which one.</exception>
    public async Task<ProxyAdmin?> FindAdminAsync(string? name, ControlPlaneServer controlPlane, CancellationToken cancellationToken)
    {
        var timeout = arguments.GetValue(options.Timeout);
        if (arguments.GetValue(options.Admin) is { Length: > 0 } address)
        {
            return await ProxyAdmin.ConnectAsync(Addresses.Parse(address, "--admin"), timeout, environment.Time, cancellationToken).ConfigureAwait(false);
        }

        var proxy = (await controlPlane.ReadAsync("syncz", cancellationToken, ("proxyID", Required(name))).ConfigureAwait(false)).AsArray()[0]!;
        if (proxy["admin"]?.ToString() is not { Length: > 0 } announced
            || !Uri.TryCreate(announced.Contains("://", StringComparison.Ordinal) ? announced : "http://" + announced, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("http" or "https"))
        {
            return null;
        }

        ProxyAdmin admin;
        try
        {
            admin = await ProxyAdmin.ConnectAsync(new Uri(uri.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/"), timeout, environment.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (CommandException)
        {
            return null;
        }

        // Loopback is another machine's, perhaps: who answers must be who was meant.
        if (admin.NodeId == proxy["node"]?.ToString())
        {
            return admin;
        }

        admin.Dispose();
        return null;
    }

    /// <summary>The name that a control plane is asked with.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public string Required(string? name)
        => name is { Length: > 0 }
            ? ProxyName.Parse(name, arguments.GetValue(options.Namespace))
            : throw new CommandException("which proxy? name one, as in meshctl proxy-status, or give --admin http://localhost:15020", ExitCodes.Usage);

    /// <summary>As <see cref="FindAdminAsync"/>, for what only the process itself knows.</summary>
    /// <exception cref="CommandException">It cannot be asked.</exception>
    public async Task<ProxyAdmin> GetAdminAsync(string? name, ControlPlaneServer controlPlane, CancellationToken cancellationToken)
        => await FindAdminAsync(name, controlPlane, cancellationToken).ConfigureAwait(false)
            ?? throw new CommandException($"{name} tells this itself, at its admin port, which it has not announced or which cannot be reached from here: set Mesh:Admin:Port in it, or say where it is with --admin http://host:port");
}
