using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Bookinfo.Tests;

/// <summary>What a terminal does with Ctrl-C, and what an operating system does with a process.</summary>
internal static class Signal
{
    private const int Interrupt = 2;

    /// <summary>SIGINT.</summary>
    public static void CtrlC(int processId) => Send(processId, Interrupt).ShouldBe(0);

    /// <summary>Completes when the process, whoever's child it is, is gone.</summary>
    public static async Task GoneAsync(int processId)
    {
        Process process;
        try
        {
            process = Process.GetProcessById(processId);
        }
        catch (ArgumentException)
        {
            return;
        }

        using (process)
        {
            await process.WaitForExitAsync().WaitAsync(Guard.Hang);
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Send(int processId, int signal);
}
