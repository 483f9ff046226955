namespace Bookinfo.Hosting;

/// <summary>What launcher and services say to one another over their pipes.</summary>
internal static class ChildProtocol
{
    /// <summary>Service → launcher, on standard output: the address it listens on follows.</summary>
    public const string Listening = "bookinfo:listening ";

    /// <summary>Launcher → service, on standard input: stop gracefully, there is time.</summary>
    public const string Stop = "stop";

    /// <summary>How long a service that has lost its launcher may take to leave.</summary>
    public static readonly TimeSpan OrphanGrace = TimeSpan.FromSeconds(2);
}
