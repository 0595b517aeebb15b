//! What a word can stand for: units, scripts in their surroundings, nginx.

use super::*;

/// Aim: a unit is driven by systemctl, only where systemd runs, and takes no arguments.
#[tokio::test]
async fn units() {
    let machine = Machine::new();
    fs::create_dir(machine.dir.path().join("units")).unwrap();
    fs::write(machine.dir.path().join("units/web.service"), "").unwrap();
    machine.script(
        "systemctl",
        "echo $* >> $D/journal; [ $1 = is-active ] && { echo inactive; exit 3; }; exit 0",
    );
    let mut agent = machine.agent(&["web"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Failed);
    fs::create_dir(machine.dir.path().join("systemd")).unwrap();
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    assert_eq!(release(&mut agent).await, Outcome::Done);
    assert_eq!(
        machine.journal(),
        [
            "is-active web.service",
            "start web.service",
            "stop web.service"
        ]
    );
    let mut agent = machine.agent(&["web::x"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Failed);
}

/// Aim: scripts find the environment, the working directory and the empty input they expect.
#[tokio::test]
async fn surroundings() {
    let machine = Machine::new();
    machine.script(
        "resource.d/env",
        r#"[ $1 = start ] && echo "$HA_CURHOST $LC_ALL $PWD $(cat)." >> $D/journal; [ $1 != status ]"#,
    );
    let mut agent = machine.agent(&["env"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    assert_eq!(machine.journal(), ["rproxy1 C / ."]);
}

/// Aim: the real nginx, when it is installed, is started and stopped without script or unit.
#[tokio::test]
async fn the_real_nginx() {
    if !Path::new("/usr/sbin/nginx").exists() {
        return;
    }
    let machine = Machine::new();
    std::os::unix::fs::symlink("/usr/sbin/nginx", machine.dir.path().join("nginx")).unwrap();
    let (dir, config) = (machine.dir.path(), machine.dir.path().join("nginx.conf"));
    let text = format!(
        "pid {0}/pid;\nerror_log {0}/log;\nevents {{}}\nhttp {{ access_log off; \
         client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c; \
         uwsgi_temp_path {0}/d; scgi_temp_path {0}/e; server {{ listen unix:{0}/web; }} }}\n",
        dir.display()
    );
    fs::write(&config, text).unwrap();
    let word = format!("nginx::-c::{}", config.display());
    let mut agent = machine.agent(&[&word]);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    let pid = fs::read_to_string(dir.join("pid")).unwrap();
    assert!(std::os::unix::net::UnixStream::connect(dir.join("web")).is_ok());
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    assert_eq!(fs::read_to_string(dir.join("pid")).unwrap(), pid);
    assert_eq!(release(&mut agent).await, Outcome::Done);
    assert!(gone(pid.trim()).await);
    assert_eq!(release(&mut agent).await, Outcome::Done);
}

/// An nginx whose main process takes a while to write its pid file, and the word for it.
fn slow_nginx(machine: &Machine) -> String {
    machine.script(
        "nginx",
        r#"if [ "$1" = main ]; then
            sleep 0.2; echo $$ > $D/pid; echo up >> $D/journal
            while :; do sleep 0.05; done
        fi
        setsid "$0" main </dev/null >/dev/null 2>&1 &
        echo begun >> $D/journal
        [ -e $D/hang ] && sleep 60
        exit 0"#,
    );
    let config = machine.dir.path().join("nginx.conf");
    let text = format!("pid {}/pid;\n", machine.dir.path().display());
    fs::write(&config, text).unwrap();
    format!("nginx::-c::{}", config.display())
}

/// Aim: nginx counts as started only when it can be stopped again.
#[tokio::test]
async fn nginx_before_its_pid_file() {
    let machine = Machine::new();
    let mut agent = machine.agent(&[&slow_nginx(&machine)]);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    let pid = fs::read_to_string(machine.dir.path().join("pid")).unwrap();
    assert_eq!(release(&mut agent).await, Outcome::Done);
    assert!(gone(pid.trim()).await);
}

/// Aim: an nginx that comes up while its start is being broken off is stopped all the same.
#[tokio::test]
async fn nginx_broken_off() {
    let machine = Machine::new();
    fs::write(machine.dir.path().join("hang"), "").unwrap();
    let mut agent = machine.agent(&[&slow_nginx(&machine)]);
    agent.acquire(GROUP);
    machine.until_journal("begun").await;
    // By now it has left the process group that is going to be killed.
    sleep(Duration::from_millis(100)).await;
    assert_eq!(release(&mut agent).await, Outcome::Done);
    machine.until_journal("up").await;
    let pid = fs::read_to_string(machine.dir.path().join("pid")).unwrap();
    assert!(gone(pid.trim()).await);
}
