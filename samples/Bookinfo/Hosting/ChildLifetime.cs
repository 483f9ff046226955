using System.Runtime.InteropServices;

namespace Bookinfo.Hosting;

/// <summary>The lifetime of a service under the launcher: it leaves when the launcher says so, or when the launcher is gone.</summary>
/// <remarks>
/// A terminal sends Ctrl-C (and its own end) to every process of the group at once. The launcher stops the services in order, so they do not
/// listen to it.
/// </remarks>
internal sealed class ChildLifetime(IHostApplicationLifetime application, TimeProvider time) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];
    private ITimer? _orphanDeadline;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            application.StopApplication();
        }));

        // A thread of its own: a read of standard input cannot be cancelled, and must not keep the process.
        new Thread(WatchLauncher) { IsBackground = true, Name = "launcher watch" }.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _signals.ForEach(signal => signal.Dispose());
        _orphanDeadline?.Dispose();
    }

    private void WatchLauncher()
    {
        if (Console.In.ReadLine() != ChildProtocol.Stop)
        {
            // The pipe ended without a word: the launcher was killed.
            _orphanDeadline = time.CreateTimer(static _ => Environment.Exit(1), null, ChildProtocol.OrphanGrace, Timeout.InfiniteTimeSpan);
        }

        application.StopApplication();
    }
}
