using System.Diagnostics;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>One of the labs' own applications, or their load generator, as a process.</summary>
internal sealed class LabProcess
{
    private const string Listening = "listening on ";

    /// <summary>Processes take their time to start on a busy machine, all the more when several do.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private LabProcess(Uri address) => Address = address;

    public Uri Address { get; }

    /// <summary>Starts an application; it ends with the lab.</summary>
    public static async Task<LabProcess> StartAsync(MeshLab lab, string app, string version, params string[] settings)
    {
        var process = Start("LabApps.dll", [app, "--urls", "http://127.0.0.1:0", "--Mesh:Xds:Server", lab.XdsAddress, "--Mesh:Workload:Version", version, .. settings]);
        lab.OnDispose(() => Kill(process));
        var listening = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Read(object sender, DataReceivedEventArgs e)
        {
            lab.Log.Add($"{app}-{version}: {e.Data}");
            if (e.Data is null)
            {
                listening.TrySetException(new InvalidOperationException($"{app} ended:\n{lab.Log}"));
            }
            else if (e.Data.StartsWith(Listening, StringComparison.Ordinal))
            {
                listening.TrySetResult(new Uri(e.Data[Listening.Length..]));
            }
        }

        process.OutputDataReceived += Read;
        process.ErrorDataReceived += (_, e) => lab.Log.Add($"{app}-{version}: {e.Data}");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new LabProcess(await listening.Task.WaitAsync(Hang));
    }

    /// <summary>Runs the load generator to its end: what it printed.</summary>
    public static async Task<string> LoadAsync(params string[] args)
    {
        using var process = Start("LoadGenerator.dll", args);
        try
        {
            var errors = process.StandardError.ReadToEndAsync();
            var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Hang);
            await process.WaitForExitAsync().WaitAsync(Hang);
            process.ExitCode.ShouldBe(0, await errors);
            return output;
        }
        finally
        {
            Kill(process);
        }
    }

    private static Process Start(string program, IEnumerable<string> args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, program));
        foreach (var arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        return Process.Start(start)!;
    }

    private static void Kill(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill();
        }
    }
}
