using System.Diagnostics;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>A control plane that is a process of its own and can be killed as the system kills one.</summary>
internal sealed class ControlPlaneProcess
{
    /// <summary>Processes take their time to start on a busy machine.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    private ControlPlaneProcess(Process process) => _process = process;

    public static async Task<ControlPlaneProcess> StartAsync(MeshLab lab)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "ControlPlane.dll"));
        start.ArgumentList.Add(lab.Xds.ToString());
        start.ArgumentList.Add(lab.Folder.Path);
        var process = Process.Start(start)!;
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Read(object sender, DataReceivedEventArgs e)
        {
            if (e.Data is null)
            {
                listening.TrySetException(new InvalidOperationException($"The control plane ended:\n{lab.Log}"));
                return;
            }

            lab.Log.Add("control plane process: " + e.Data);
            if (e.Data.Contains("listening on", StringComparison.Ordinal))
            {
                listening.TrySetResult();
            }
        }

        process.OutputDataReceived += Read;
        process.ErrorDataReceived += (_, e) => lab.Log.Add("control plane process: " + e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        lab.OnDispose(() => Kill(process));
        await listening.Task.WaitAsync(Hang);
        return new ControlPlaneProcess(process);
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        Kill(_process);
        await _process.WaitForExitAsync().OrHang();
    }

    private static void Kill(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill();
        }
    }
}
